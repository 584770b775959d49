"""Uses the service through python-keystoneclient and keystoneauth1, unchanged, as programs for OpenStack do.

Arguments: one of the functions below and its arguments as a JSON object. Prints what it has seen as one JSON object.
"""

import json
import sys

from keystoneauth1 import exceptions, identity, session, token_endpoint
from keystoneauth1.identity import v3
from keystoneclient.v3 import client


def tried(call, *args, **kwargs):
    """What came of a call: None, or how the client words the refusal."""
    try:
        call(*args, **kwargs)
    except exceptions.ClientException as error:
        return {"error": type(error).__name__, "status": error.http_status, "message": str(error)}
    return None


def signed_in(plugin):
    """Signs in at once, and answers the session and what the token stands for."""
    opened = session.Session(auth=plugin)
    return opened, plugin.get_access(opened)


def keystone(url, **parts):
    """A client with nothing but an address and credentials: it finds its endpoints itself."""
    return client.Client(session=session.Session(auth=identity.Password(auth_url=url, **parts)))


def with_token(url, token):
    """A client that has a token and nothing to get another one with."""
    return client.Client(session=session.Session(auth=token_endpoint.Token(url + "/v3", token)))


def of_access(access):
    return {
        "user_id": access.user_id,
        "username": access.username,
        "user_domain": access.user_domain_name,
        "domain_id": access.domain_id,
        "project_id": access.project_id,
        "project_name": access.project_name,
        "roles": access.role_names,
        "methods": access._data["token"]["methods"],
        "expires": str(access.expires.tzinfo),
        "endpoint": access.service_catalog.url_for(service_type="identity", interface="public")
        if access.has_service_catalog()
        else None,
    }


def of_user(user):
    shown = user.to_dict()
    shown["link"] = shown.pop("links")["self"]
    return shown


def scopes(url, domain_id, domain_name, user_id, username, password, project_id, project_name):
    by_id = {"user_id": user_id, "password": password}
    by_name = {"username": username, "password": password, "user_domain_name": domain_name}
    seen = {}
    _, access = signed_in(v3.Password(auth_url=url + "/v3", unscoped=True, **by_id))
    seen["unscoped"] = of_access(access)
    _, access = signed_in(identity.Password(auth_url=url, domain_id=domain_id, **by_id))
    seen["domain"] = of_access(access)
    _, access = signed_in(identity.Password(auth_url=url + "/v3", domain_name=domain_name, **by_name))
    seen["domain_by_name"] = of_access(access)
    opened, access = signed_in(identity.Password(auth_url=url + "/", project_id=project_id, **by_name))
    seen["project"] = of_access(access)
    _, access = signed_in(
        identity.Token(
            auth_url=url,
            token=access.auth_token,
            project_name=project_name,
            project_domain_id=domain_id,
        )
    )
    seen["project_by_token"] = of_access(access)
    seen["own_projects"] = [one.name for one in client.Client(session=opened).auth.projects()]
    seen["own_domains"] = [one.name for one in client.Client(session=opened).auth.domains()]
    versions = opened.get_all_version_data(service_type="identity")
    seen["versions"] = [
        {"region": region, "version": one["version"], "status": one["status"], "url": one["url"]}
        for region, interfaces in versions.items()
        for one in interfaces["public"]["identity"]
    ]
    return seen


def users(url, domain_id, admin, password, another_id, project_id):
    own = {"username": admin, "user_domain_id": domain_id, "password": password}
    keys = keystone(url, domain_id=domain_id, **own)
    seen = {"self": of_user(keys.users.get(keys.session.get_user_id()))}
    seen["another"] = of_user(keys.users.get(another_id))
    made = keys.users.create(
        "james1234",
        domain=domain_id,
        password="Passw0rd!",
        email="james@example.com",
        description="From keystoneclient",
        default_project=project_id,
    )
    seen["created"] = of_user(made)
    seen["taken"] = tried(keys.users.create, "James1234", domain=domain_id)
    other = keys.users.create("other-user", enabled=False)
    seen["found"] = keys.users.find(name="james1234").id == made.id
    changed = keys.users.update(made, name="james5678", description="Renamed", email="j@example.com")
    seen["changed"] = of_user(changed)
    seen["taken_by_change"] = tried(keys.users.update, made, name="other-user")
    seen["invalid"] = tried(keys.users.update, made, name="1234james")
    keys.users.update(made, password="An0ther-one!", enabled=True)
    theirs = {"auth_url": url, "user_id": made.id}
    seen["old_password"] = tried(signed_in, identity.Password(password="Passw0rd!", **theirs))
    seen["new_password"] = of_access(signed_in(identity.Password(password="An0ther-one!", **theirs))[1])["username"]
    pages = []
    marker = None
    while True:
        page = keys.users.list(domain=domain_id, limit=2, marker=marker) if marker else keys.users.list(limit=2)
        pages.append(len(page))
        if not page:
            break
        marker = page[-1].id
    seen["pages"] = pages
    seen["all"] = sorted(one.name for one in keys.users.list(domain=domain_id))
    seen["disabled"] = [one.name for one in keys.users.list(enabled=False)]
    keys.users.delete(other)
    made_id = made.id
    seen["deleted"] = keys.users.delete(made)[0].status_code
    seen["gone"] = tried(keys.users.get, made_id)
    return seen


def projects(url, domain_id, admin, username, user_id, password, project_id, domain_name, other_id):
    """Domains and projects, as an administrator and as somebody with a role in some of them."""
    parts = {"user_domain_id": domain_id, "password": password}
    keys = keystone(url, domain_id=domain_id, username=admin, **parts)
    own = keystone(url, project_id=project_id, username=username, **parts)

    def names(found):
        return sorted(one.name for one in found)

    first = keys.projects.list(limit=1)
    return {
        "project": keys.projects.get(project_id).to_dict(),
        "all": names(keys.projects.list()),
        "of_domain": names(keys.projects.list(domain=domain_id, parent=domain_id)),
        "of_user": names(keys.projects.list(user=user_id)),
        "found": keys.projects.find(name="alpha").id,
        "disabled": keys.projects.list(enabled=False),
        "pages": names([*first, *keys.projects.list(marker=first[0].id)]),
        "domain": keys.domains.get(domain_id).to_dict(),
        "domains": names(keys.domains.list()),
        "domain_by_name": keys.domains.find(name=domain_name).id,
        "other_domain": tried(keys.domains.get, other_id),
        "unknown": tried(keys.projects.get, "workspace-000000000000"),
        "member": {
            "project": own.projects.get(project_id).name,
            "domain": own.domains.get(domain_id).name,
            "own": names(own.projects.list(user=user_id)),
            "unknown": tried(own.projects.get, "workspace-000000000000"),
            "all": tried(own.projects.list),
            "domains": tried(own.domains.list),
        },
    }


def refusals(url, domain_id, project_id, username, password, own_id, another_id):
    def sign_in(**parts):
        return tried(signed_in, identity.Password(auth_url=url, **{**own, **parts}))

    own = {"username": username, "user_domain_id": domain_id, "password": password, "project_id": project_id}
    keys = keystone(url, **own)
    seen = {
        "self": keys.users.get(own_id).name,
        "another": tried(keys.users.get, another_id),
        "change": tried(keys.users.update, another_id, enabled=False),
        "list": tried(keys.users.list),
        "create": tried(keys.users.create, "somebody", password="Passw0rd!"),
        "delete": tried(keys.users.delete, another_id),
        "unknown": tried(keys.users.get, "0123456789abcdef0123456789abcdef"),
        "wrong_password": sign_in(password="Wr0ng-one!"),
        "unknown_user": sign_in(username="nobody"),
        "unknown_domain": sign_in(user_domain_id="domain-000000000000"),
        "domain_scope": sign_in(project_id=None, domain_id=domain_id),
        "unknown_project": sign_in(project_id="workspace-000000000000"),
        "broken_token": tried(
            session.Session(auth=None).get,
            url + "/v3/users/" + own_id,
            headers={"X-Auth-Token": "abc"},
            authenticated=False,
        ),
    }
    bare = with_token(url, keys.session.get_token())
    seen["before"] = tried(bare.users.get, own_id)
    keys.tokens.revoke_token(keys.session.get_token())
    seen["after"] = tried(bare.users.get, own_id)
    return seen


def tokens(url, domain_id, admin, username, password):
    """An administrator looks at, and ends, the token of somebody else."""
    parts = {"user_domain_id": domain_id, "password": password}
    keys = keystone(url, domain_id=domain_id, username=admin, **parts)
    theirs = keystone(url, username=username, **parts).session.get_token()
    shown = keys.tokens.validate(theirs)
    data = sorted(keys.tokens.get_token_data(theirs, include_catalog=False)["token"])
    keys.tokens.revoke_token(theirs)
    return {
        "user": shown.username,
        "data": data,
        "again": tried(keys.tokens.validate, theirs),
        "own": keys.users.get(keys.session.get_user_id()).name,
    }


def own_password(url, domain_id, username, password, new_password):
    """Of a user without any project: a token without scope has no catalog, so the endpoint is named."""

    def unscoped(password):
        opened = session.Session(auth=identity.Password(auth_url=url, **{**own, "password": password}))
        return client.Client(session=opened, endpoint_override=url + "/v3")

    own = {"username": username, "user_domain_id": domain_id, "password": password}
    keys = unscoped(password)
    user_id = keys.session.get_user_id()
    before = with_token(url, keys.session.get_token())
    seen = {
        "wrong": tried(keys.users.update_password, "Wr0ng-one!", new_password),
        "weak": tried(keys.users.update_password, password, "short"),
    }
    keys.users.update_password(password, new_password)
    return {
        **seen,
        "token_from_before": tried(before.users.get, user_id),
        "old": tried(signed_in, identity.Password(auth_url=url, **own)),
        "new": unscoped(new_password).users.get(user_id).name,
    }


def second_factor(url, domain_id, username, password, codes):
    own = {"username": username, "user_domain_id": domain_id}
    seen = {}
    try:
        signed_in(v3.Password(auth_url=url + "/v3", password=password, **own))
    except exceptions.MissingAuthMethods as missing:
        seen["missing"] = {"methods": missing.methods, "required": missing.required_auth_methods}
        receipt = missing.receipt
    finish = v3.Auth(
        auth_url=url + "/v3",
        auth_methods=[v3.ReceiptMethod(receipt=receipt), v3.TOTPMethod(passcode=codes[0], **own)],
    )
    seen["with_receipt"] = of_access(signed_in(finish)[1])["methods"]
    both = {"auth_url": url + "/v3", "auth_methods": ["v3password", "v3totp"], "password": password, **own}
    seen["wrong_code"] = tried(signed_in, v3.MultiFactor(passcode=codes[1], **both))
    seen["used_code"] = tried(signed_in, v3.MultiFactor(passcode=codes[0], **both))
    return seen


def both_factors(url, domain_id, username, password, code):
    plugin = v3.MultiFactor(
        auth_url=url + "/v3",
        auth_methods=["v3password", "v3totp"],
        username=username,
        user_domain_id=domain_id,
        password=password,
        passcode=code,
    )
    return {"methods": of_access(signed_in(plugin)[1])["methods"]}


print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
