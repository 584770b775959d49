"""Uses the service as SpaceONE's command line client does: it knows nothing but what reflection v1alpha tells it.

Argument: address. Reads one request a line from stdin, {"method": "Service.method", "request": {...}, "token": "..."},
and prints the answer of each as a line of JSON.
"""

import json
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

channel = grpc.insecure_channel(sys.argv[1])
database = ProtoReflectionDescriptorDatabase(channel)
pool = DescriptorPool(database)
# Every listed service is looked up, as that client does before its first call.
services = {name.split(".")[-1]: pool.FindServiceByName(name) for name in database.get_services()}


def call(method, request, token=""):
    service, _, name = method.partition(".")
    found = services[service].FindMethodByName(name)
    send = channel.unary_unary(
        f"/{services[service].full_name}/{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(found.output_type).FromString,
    )
    message = ParseDict(request, GetMessageClass(found.input_type)())
    answer = send(message, metadata=[("token", token)] if token else [])
    return MessageToDict(answer, preserving_proto_field_name=True)


print(json.dumps(sorted(services)))
for line in sys.stdin:
    print(json.dumps(call(**json.loads(line))), flush=True)
