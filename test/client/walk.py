"""Uses the service as an existing Python client does: with the stubs of the PyPI package spaceone-api.

Arguments: address, domain id, administrator, password, workspace id. Prints what it has seen as one JSON object.
"""

import json
import sys

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from spaceone.api.core.v1 import server_info_pb2_grpc
from spaceone.api.core.v2 import query_pb2
from spaceone.api.identity.v2 import token_pb2, token_pb2_grpc
from spaceone.api.identity.v2 import user_profile_pb2, user_profile_pb2_grpc
from spaceone.api.identity.v2 import workspace_user_pb2, workspace_user_pb2_grpc


def struct(content):
    return ParseDict(content, Struct())


def shown(message):
    return MessageToDict(message, preserving_proto_field_name=True)


def refusal(method, request, metadata=()):
    try:
        method(request, metadata=metadata)
    except grpc.RpcError as error:
        code, _, text = error.details().partition(": ")
        return {"status": error.code().name, "code": code, "text": text}
    return None


def main(address, domain_id, admin, password, workspace_id):
    channel = grpc.insecure_channel(address)
    tokens = token_pb2_grpc.TokenStub(channel)
    profiles = user_profile_pb2_grpc.UserProfileStub(channel)
    people = workspace_user_pb2_grpc.WorkspaceUserStub(channel)
    info = server_info_pb2_grpc.ServerInfoStub(channel)
    seen = {"version": info.get_version(Empty()).version}

    issued = tokens.issue(
        token_pb2.IssueTokenRequest(
            credentials=struct({"user_id": admin, "password": password}),
            auth_type="LOCAL",
            domain_id=domain_id,
        )
    )
    seen["profile"] = shown(
        profiles.get(user_profile_pb2.UserProfileRequest(), metadata=[("token", issued.access_token)])
    )
    granted = tokens.grant(
        token_pb2.GrantTokenRequest(
            grant_type="REFRESH_TOKEN",
            token=issued.refresh_token,
            scope="WORKSPACE",
            workspace_id=workspace_id,
        )
    )
    seen["role_type"] = token_pb2.GrantTokenInfo.RoleType.Name(granted.role_type)
    metadata = [("token", granted.access_token)]

    request = workspace_user_pb2.CreateWorkspaceUserRequest(
        user_id="from-python@example.com",
        password="Passw0rd!",
        name="파이썬 Python",
        auth_type="LOCAL",
        role_id="managed-workspace-member",
        tags=struct({"nested": {"list": [1, True, None, "text"]}}),
    )
    seen["created"] = shown(people.create(request, metadata=metadata))
    seen["again"] = refusal(people.create, request, metadata)
    seen["got"] = shown(
        people.get(
            workspace_user_pb2.WorkspaceUserRequest(user_id="from-python@example.com"), metadata=metadata
        )
    )
    query = ParseDict(
        {
            "filter": [{"k": "name", "v": "python", "o": "contain"}],
            "sort": [{"key": "user_id", "desc": True}],
            "page": {"start": 1, "limit": 10},
        },
        query_pb2.Query(),
    )
    listed = people.list(workspace_user_pb2.WorkspaceUserSearchQuery(query=query), metadata=metadata)
    seen["listed"] = [one.user_id for one in listed.results]
    seen["total_count"] = listed.total_count
    statistics = ParseDict(
        {
            "aggregate": [
                {
                    "group": {
                        "keys": [{"key": "state", "name": "state"}],
                        "fields": [{"name": "users", "operator": "count"}],
                    }
                }
            ]
        },
        query_pb2.StatisticsQuery(),
    )
    seen["stat"] = shown(people.stat(workspace_user_pb2.WorkspaceUserStatQuery(query=statistics), metadata=metadata))
    found = people.find(workspace_user_pb2.WorkspaceUserFindRequest(keyword=admin), metadata=metadata)
    seen["found"] = [one.user_id for one in found.results]
    seen["denied"] = refusal(
        people.list,
        workspace_user_pb2.WorkspaceUserSearchQuery(),
        [("token", issued.access_token)],
    )
    seen["without_token"] = refusal(people.list, workspace_user_pb2.WorkspaceUserSearchQuery())
    print(json.dumps(seen))


main(*sys.argv[1:])
