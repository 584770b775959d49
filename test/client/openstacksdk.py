"""Uses the service through openstacksdk, unchanged, as programs for OpenStack do.

Arguments: one of the functions below and its arguments as a JSON object. Prints what it has seen as one JSON object.
"""

import json
import sys

import openstack
from keystoneauth1 import exceptions as auth_exceptions
from openstack import exceptions


def tried(call, *args, **kwargs):
    """What came of a call: None, or how the client words the refusal."""
    try:
        call(*args, **kwargs)
    except exceptions.HttpException as error:
        return {"error": type(error).__name__, "status": error.status_code, "message": error.details}
    except auth_exceptions.ClientException as error:
        return {"error": type(error).__name__, "status": error.http_status, "message": str(error)}
    return None


def connection(url, auth_type="password", **auth):
    """A connection with nothing but an address and credentials: it finds its endpoints itself."""
    return openstack.connection.Connection(auth_type=auth_type, auth={"auth_url": url, **auth})


def fields_of(user):
    shown = user.to_dict(computed=False, original_names=True)
    return {name: value for name, value in shown.items() if name not in ("location", "federated")}


def walk(url, domain_id, admin, password, another, project_id, domain_name):
    own = {"username": admin, "user_domain_id": domain_id, "password": password, "domain_id": domain_id}
    cloud = connection(url, **own)
    people = cloud.identity
    seen = {"endpoint": cloud.endpoint_for("identity"), "version": people.get_endpoint_data().api_version}
    seen["self"] = fields_of(people.get_user(cloud.current_user_id))
    seen["another"] = fields_of(people.find_user(another, ignore_missing=False))
    made = people.create_user(
        name="sdk-user",
        domain_id=domain_id,
        password="Passw0rd!",
        email="sdk@example.com",
        description="From openstacksdk",
        default_project_id=project_id,
    )
    seen["created"] = fields_of(made)
    seen["taken"] = tried(people.create_user, name="SDK-user", domain_id=domain_id)
    seen["by_name"] = people.find_user("sdk-user").id == made.id
    seen["nobody"] = people.find_user("nobody-there")
    changed = people.update_user(made, name="sdk-renamed", description="Renamed", email="renamed@example.com")
    seen["changed"] = fields_of(changed)
    seen["invalid"] = tried(people.update_user, made.id, password="short")
    seen["pages"] = sorted(one.name for one in people.users(limit=2))
    seen["all"] = sorted(one.name for one in people.users(domain_id=domain_id))
    seen["disabled"] = fields_of(people.update_user(changed, is_enabled=False))["enabled"]
    seen["only_disabled"] = [one.name for one in people.users(is_enabled=False)]
    theirs = {"username": "sdk-renamed", "user_domain_id": domain_id, "password": "Passw0rd!"}
    seen["sign_in_disabled"] = tried(connection(url, **theirs).session.get_token)
    people.update_user(changed, is_enabled=True)
    seen["sign_in_enabled"] = bool(connection(url, **theirs).auth_token)
    people.delete_user(changed, ignore_missing=False)
    seen["gone"] = tried(people.get_user, changed.id)
    seen["cloud"] = cloud_layer(cloud, domain_id)
    seen["project"] = fields_of(people.find_project("alpha", domain_id=domain_id, ignore_missing=False))
    seen["projects"] = sorted(one.name for one in people.projects(limit=1))
    seen["domain"] = fields_of(people.find_domain(domain_name, ignore_missing=False))
    seen["nowhere"] = [people.find_project("nowhere"), people.find_domain("nowhere")]
    seen["own_projects"] = sorted(one.name for one in people.user_projects(cloud.current_user_id, limit=1))
    return seen


def cloud_layer(cloud, domain_id):
    made = cloud.create_user("cloud-user", password="Passw0rd!", domain_id=domain_id)
    changed = cloud.update_user("cloud-user", description="By the cloud layer", domain_id=domain_id)
    return {
        "same": made.id == changed.id,
        "description": changed.description,
        "deleted": cloud.delete_user("cloud-user", domain_id=domain_id),
        "left": cloud.get_user("cloud-user", domain_id=domain_id),
    }


def every_page(url, domain_id, admin, password):
    """Lists without a limit, so that the pages are the service's own."""
    own = {"username": admin, "user_domain_id": domain_id, "password": password, "domain_id": domain_id}
    found = [one.id for one in connection(url, **own).identity.users()]
    return {"found": len(found), "different": len(set(found))}


def member(url, domain_id, username, password, project_id, another_id, new_password):
    own = {"username": username, "user_domain_id": domain_id, "password": password, "project_id": project_id}
    cloud = connection(url, **own)
    people = cloud.identity
    user_id = cloud.current_user_id
    token = cloud.auth_token
    seen = {
        "self": people.get_user(user_id).name,
        "project": cloud.current_project_id,
        "another": tried(people.get_user, another_id),
        "change": tried(people.update_user, another_id, description="x"),
        "list": tried(lambda: list(people.users())),
        "create": tried(people.create_user, name="somebody"),
        "delete": tried(people.delete_user, another_id),
        "wrong_password": tried(connection(url, **{**own, "password": "Wr0ng-one!"}).session.get_token),
        "wrong_old_password": tried(people.update_password, user_id, "Wr0ng-one!", new_password),
    }
    people.update_password(user_id, password, new_password)
    before = connection(url, auth_type="token", token=token, project_id=project_id)
    seen["token_from_before"] = tried(before.session.get_token)
    renewed = connection(url + "/v3", **{**own, "password": new_password})
    seen["new_password"] = renewed.identity.get_user(user_id).name
    renewed.identity.revoke_token(renewed.auth_token)
    bare = connection(url, auth_type="token", token=renewed.auth_token, project_id=project_id)
    seen["revoked"] = tried(bare.session.get_token)
    return seen


def second_factor(url, domain_id, username, password, project_id, code):
    own = {"username": username, "user_domain_id": domain_id, "password": password, "project_id": project_id}
    seen = {}
    try:
        connection(url, **own).session.get_token()
    except auth_exceptions.MissingAuthMethods as missing:
        seen["missing"] = missing.required_auth_methods
    methods = ["v3password", "v3totp"]
    both = connection(url, auth_type="v3multifactor", auth_methods=methods, passcode=code, **own)
    seen["name"] = both.identity.get_user(both.current_user_id).name
    return seen


print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
