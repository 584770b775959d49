-- The edge's filter, on the way out: gives every error its body and applies what the service says with the metadata
-- edge-status and edge-code of an answer over HTTP; they go no further.

-- The words for an answer to native gRPC that is not the service's own, by its gRPC code. The library of the service has
-- no other use for 8 than messages that are too large, packed or not.
local OWN_GRPC_WORDS = { [4] = OWN_WORDS[504], [8] = OWN_WORDS[413], [12] = OWN_WORDS[501], [14] = OWN_WORDS[503] }
-- What the library, and Envoy in the place of a 400, call INTERNAL (13) though the caller is to blame: by their text.
local BLAMED_ON_CALLER = {
  ["Failed to decompress message"] = "The message cannot be decompressed.",
  ["Bad Request"] = OWN_WORDS[400][3],
}

-- What the transcoder leaves of the gRPC answer and no REST caller needs.
local GRPC_HEADERS = { "grpc-status", "grpc-message", "grpc-encoding", "grpc-accept-encoding" }

-- Headers of every answer (envoy.yaml); what is refused before it has a route does not get those of one.
local HEADERS = { ["cache-control"] = "no-store", ["x-content-type-options"] = "nosniff" }

local function take(headers, name)
  local value = headers:get(name)
  headers:remove(name)
  return value
end

-- What is known of the request: from this filter, or, if it never came so far, from a header of Envoy's own answer.
local function recall(handle, headers)
  local method, path = (take(headers, "x-edge-request") or ""):match("^(%S+) ([^?]*)")
  local memory = handle:streamInfo():dynamicMetadata():get(MEMORY)
  if memory then return memory end
  return { family = family_of(path or ""), method = method, id = headers:get("x-request-id") or "", fault = "" }
end

local function replace_grpc_words(headers, said)
  local message, code = headers:get("grpc-message"), tonumber(headers:get("grpc-status") or 0)
  if code == 13 then
    local text = BLAMED_ON_CALLER[(message or "Bad Request"):gsub("%%20", " ")]
    if text then
      headers:replace("grpc-status", "3")
      headers:replace("grpc-message", OWN_WORDS[400][2] .. ": " .. text)
    end
    return
  end
  local words = OWN_GRPC_WORDS[code]
  if words and message and not message:find("^ERROR_") and not said then
    headers:replace("grpc-message", words[2] .. ": " .. words[3])
  end
end

-- An answer without a body keeps the length that its body would have had after HEAD alone.
local function drop_body(handle, headers, status)
  local length = headers:get("content-length")
  local body = handle:body(true)
  headers = handle:headers()
  if body then body:setBytes("") end
  if status == 204 then
    headers:remove("content-length")
    headers:remove("content-type")
  elseif length then
    headers:replace("content-length", length)
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local asked = recall(handle, headers)
  local family, head = FAMILIES[asked.family], asked.method == "HEAD"
  local said, mark = tonumber(take(headers, "edge-status") or ""), take(headers, "edge-code")
  if is_grpc(headers) then
    if not family then return replace_grpc_words(headers, said) end
    -- Envoy has put into the words of gRPC what was refused; nothing else is answered so in a family.
    headers:replace(":status", "400")
  end
  for _, name in ipairs(GRPC_HEADERS) do headers:remove(name) end
  for name, value in pairs(family and family.headers or {}) do
    headers:replace(name, (value:gsub("{id}", asked.id)))
  end
  local status = tonumber(headers:get(":status"))
  -- An answer in JSON has a length, of "{}" at least. One without broke off between its headers and its message.
  local length = tonumber(headers:get("content-length") or 0)
  if status < 400 and length > 0 then
    status = said or status
    headers:replace(":status", tostring(status))
    if head or status == 204 then drop_body(handle, headers, status) end
    return
  end
  local body = handle:body(true)
  local size = body and body:length() or 0
  local given = size > 0 and body:getBytes(0, size) or ""
  if status < 400 then
    if size > 0 then return end
    status = 502
  end
  local text
  status, text = failure(family, status, asked.fault, said, mark, given)
  -- Reading the body suspended the filter, so the headers have to be taken anew.
  headers = handle:headers()
  headers:replace(":status", tostring(status))
  headers:replace("content-type", "application/json")
  for name, value in pairs(HEADERS) do headers:replace(name, value) end
  -- Nil when the answer has nothing after its headers, not even an end.
  if body then body:setBytes(head and "" or text) end
  if head then headers:replace("content-length", tostring(#text)) end
end
