-- What both filters of the edge need (scripts/render-envoy.mjs joins the files).

-- Exactly what the transcoder and the routes take for native gRPC and leave alone; grpc-web is not, nor are parameters.
local function is_grpc(headers)
  local rest = (headers:get("content-type") or ""):match("^application/grpc(.?)")
  return rest == "" or rest == "+"
end
