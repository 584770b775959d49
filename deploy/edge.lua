-- Gives every REST error one body: grpc-gateway's {code, message, details} and, beside it, detail {code, message},
-- which consoles read (contract/errors.md 2). Paths of a family (deploy/edge-families.json) have an error body of their
-- own. The service says with the metadata edge-status and edge-code what an answer is over HTTP; they go no further.
-- Knows from the descriptor which paths exist, so that an unknown path and a wrong verb are told apart. Runs around the
-- transcoder; native gRPC passes untouched.

-- By path, and by pattern of a templated path: the methods that it takes as the header Allow lists them, and by method
-- the fields that are neither in the path nor all of the body.
local EXACT = ${EXACT_PATHS}
local PATTERNS = ${PATH_PATTERNS}

local MAX_BODY_BYTES = ${MAX_BODY_BYTES}
local MAX_TOKENLESS_BODY_BYTES = ${MAX_TOKENLESS_BODY_BYTES}
local TOKEN_HEADERS = ${TOKEN_HEADERS}

-- By name: patterns of its paths, body of an error, mark of an error by HTTP status (title or code), statuses that stand
-- for those that the family does not have, headers of every answer.
local FAMILIES = ${FAMILIES}
-- Where this filter keeps what it has to know of the request when the answer comes.
local MEMORY = "identity.edge"

-- What is said for an answer that is not the service's own, so that nothing inner leaks, by HTTP status: gRPC code,
-- reason, text (deploy/edge-words.json).
local OWN_WORDS = ${OWN_WORDS}
-- The same for an answer to native gRPC, by its gRPC code. The library of the service has no other use for 8 than
-- messages that are too large, packed or not.
local OWN_GRPC_WORDS = { [4] = OWN_WORDS[504], [8] = OWN_WORDS[413], [12] = OWN_WORDS[501], [14] = OWN_WORDS[503] }
-- What the library, and Envoy in the place of a 400, call INTERNAL (13) though the caller is to blame: by their text.
local BLAMED_ON_CALLER = {
  ["Failed to decompress message"] = "The message cannot be decompressed.",
  ["Bad Request"] = OWN_WORDS[400][3],
}

-- What the transcoder leaves of the gRPC answer and no REST caller needs.
local GRPC_HEADERS = { "grpc-status", "grpc-message", "grpc-encoding", "grpc-accept-encoding" }

-- Headers of every answer (envoy.yaml).
local HEADERS = { ["cache-control"] = "no-store", ["x-content-type-options"] = "nosniff" }

-- What a REST caller cannot mean: of its JSON the transcoder makes a message that is neither packed nor answered packed,
-- and deadlines are no part of REST.
local NOT_FOR_REST = {
  "grpc-encoding", "grpc-accept-encoding", "grpc-status", "grpc-message", "grpc-previous-rpc-attempts", "grpc-timeout",
}

-- What follows in a content type that begins with that of gRPC, or nil.
local function grpc_kind(headers)
  return (headers:get("content-type") or ""):match("^application/grpc(.?)")
end

-- Exactly what the transcoder and the routes take for native gRPC and leave alone; grpc-web is not, nor are parameters.
local function is_grpc(headers)
  local kind = grpc_kind(headers)
  return kind == "" or kind == "+"
end

-- What is known of a path, or nil for a path that no method has.
local function route_of(path)
  local route = EXACT[path]
  if route then return route end
  for _, entry in ipairs(PATTERNS) do
    if path:find(entry[1]) then return entry[2] end
  end
  return nil
end

local function error_body(code, reason, text, details)
  return string.format(
    '{"code":%d,"message":"%s: %s","details":%s,"detail":{"code":"%s","message":"%s"}}',
    code, reason, text, details, reason, text)
end

local function own_words(status)
  return OWN_WORDS[status] or OWN_WORDS[status < 500 and 400 or 500]
end

local function own_body(status)
  local words = own_words(status)
  return error_body(words[1], words[2], words[3], "[]")
end

local function family_of(path)
  for name, family in pairs(FAMILIES) do
    for _, pattern in ipairs(family.patterns) do
      if path:find(pattern) then return name end
    end
  end
  return nil
end

local function family_body(family, status, text, mark)
  local values = { status = tostring(status), text = text, mark = mark or family.marks[status] or "" }
  return (family.error:gsub("{(%l+)}", values))
end

-- Why the transcoder refused a request: the field, empty for the whole, and what is wrong. Of the transcoder's own text only the remarks on JSON
-- itself are passed on: the others quote the caller's values, which may be secrets, and name inner types.
local function body_fault(reason)
  local field, rest = reason:match("^([%w_.%[%]]*): (.*)$")
  if not field then
    local line = reason:match("^[%w %.:,'{}%[%]/-]*")
    if line == "" or line:find("google", 1, true) then return "", "It cannot be read." end
    return "", (line:gsub(" for key '.*", "."))
  end
  if rest:find("^Root element") then return "", "It must be an object." end
  local text = "It cannot be read."
  if rest:find("^invalid value") then
    text = "The value does not fit the field."
    -- An object in the place of a plain value: the field stands where its type would.
    local name = rest:match(" for type ([%l%d_]+)$")
    -- Nor can a field that tells absent from empty be set again, nor one beside another that excludes it.
    local group, again = rest:match("^invalid value oneof field '([%w_]*)' is already set%. Cannot set '([%w_]+)'")
    if again then
      name = again
      text = group:sub(1, 1) == "_" and "It is given twice." or "It is given twice, or with one that excludes it."
    end
    if name then field = field == "" and name or field .. "." .. name end
  elseif rest:find("not repeating", 1, true) then
    text = "There is a list where none belongs."
  end
  return field, text
end

local function bad_json_text(reason)
  local field, text = body_fault(reason)
  if field ~= "" then text = field .. ": " .. text end
  return "The request body is not valid JSON for this method. (reason = " .. text .. ")"
end

-- The same in a family, where parameters of the address are refused as well, in the words of src/rpc/wording.ts.
local function family_fault(reason)
  local field, text = body_fault(reason)
  if field == "" then return "Malformed request body: " .. text end
  return "Invalid input for field '" .. field:gsub("^body%.", ""):gsub("^user%.", "") .. "': " .. text
end

-- The end of the JSON string that begins at `first`, so that its text can be copied without decoding it.
local function string_end(json, first)
  local at = first
  while true do
    local stop = json:find('["\\]', at)
    if not stop then return nil end
    if json:sub(stop, stop) == '"' then return stop - 1 end
    at = stop + 2
  end
end

-- What a transcoded google.rpc.Status holds: gRPC code, message, details as JSON. The message is the service's own when
-- it begins with a reason, or when the service has set a status.
local function parse_status(json)
  local code = tonumber(json:match('^{"code":(%d+)'))
  local _, before = json:find('^{"code":%d+,"message":"')
  local last = before and string_end(json, before + 1)
  if not code or not last then return {} end
  local message = json:sub(before + 1, last)
  local reason, text = message:match("^(ERROR_[A-Z0-9_]+):%s*(.*)$")
  local details = json:match('^,"details":(%[.*%])}$', last + 2)
  return { code = code, message = message, reason = reason, text = text, details = details or "[]" }
end

local function replace_grpc_words(headers)
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
  if words and message and not message:find("^ERROR_") and not headers:get("edge-status") then
    headers:replace("grpc-message", words[2] .. ": " .. words[3])
  end
end

-- The query of a request to a family, without what is no parameter: the transcoder would let it take the place of what
-- the path says. A name without a value is a flag that is set.
local function family_query(query, known)
  local parts = {}
  for part in query:gmatch("[^&]+") do
    local name = part:match("^[^=]*")
    if known[name] then parts[#parts + 1] = name == part and name .. "=true" or part end
  end
  return #parts > 0 and "?" .. table.concat(parts, "&") or ""
end

-- Why a request is refused whatever its method is, or nil.
local function refusal(headers, family)
  -- Envoy takes that for a host, servers of HTTP/2 do not.
  if headers:get(":authority") == "" then return "The host is empty." end
  local kind = family and grpc_kind(headers)
  if kind == "" or kind == "+" or kind == ";" then return "The content type is not JSON. No gRPC method has this path." end
  return nil
end

-- As the routes of envoy.yaml say it to the buffer filter.
local function max_body_bytes(headers)
  for name in pairs(TOKEN_HEADERS) do
    if headers:get(name) then return MAX_BODY_BYTES end
  end
  return MAX_TOKENLESS_BODY_BYTES
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local method = headers:get(":method")
  -- CONNECT has no path.
  local path, query = (headers:get(":path") or ""):match("^([^?]*)%??(.*)$")
  local family = family_of(path)
  local fault = refusal(headers, family)
  -- Refused in any case; but a 200 of gRPC would open the tunnel, in which the caller then waits.
  if method == "CONNECT" then headers:remove("content-type") end
  if family or fault or method == "HEAD" then
    local memory = handle:streamInfo():dynamicMetadata()
    memory:set(MEMORY, "family", family or "")
    memory:set(MEMORY, "head", method == "HEAD")
    memory:set(MEMORY, "fault", fault or "")
  end
  if fault then
    handle:respond({ [":status"] = "400" }, "")
    return
  end
  if is_grpc(headers) then return end
  for _, name in ipairs(NOT_FOR_REST) do headers:remove(name) end
  -- The deadline of the route was taken from them.
  handle:clearRouteCache()
  if family and #path > 1 then path = path:gsub("/+$", "") end
  local route = route_of(path)
  if not route then
    handle:respond({ [":status"] = "404" }, "")
  elseif not route.query[method] then
    handle:respond({ [":status"] = "405", ["allow"] = route.allow }, "")
  elseif tonumber(headers:get("content-length") or 0) > max_body_bytes(headers) then
    -- Refused before any of it is read; a body without a length is the buffer filter's.
    handle:respond({ [":status"] = "413" }, "")
  else
    -- Asked as GET, and answered without the body.
    if method == "HEAD" then headers:replace(":method", "GET") end
    -- Elsewhere the body is the whole request: values in an address end up in logs.
    headers:replace(":path", path .. (family and family_query(query, route.query[method]) or ""))
  end
end

-- What a failure is answered with: HTTP status and body. `said` is the status that the service gave it.
local function failure(family, status, said, mark, given)
  local answer = parse_status(given)
  if not said and answer.code == 8 and (not answer.reason or answer.reason == "ERROR_MESSAGE_TOO_LARGE") then
    status = 413
  end
  local malformed = status == 400 and not answer.code and given ~= "" and given ~= "Bad Request"
  if family then
    if said and answer.message then return said, family_body(family, said, answer.message, mark) end
    status = family.instead[status] or status
    local text = malformed and family_fault(given) or own_words(status)[3]
    return status, family_body(family, status, text)
  end
  if answer.reason then return status, error_body(answer.code, answer.reason, answer.text, answer.details) end
  if malformed then return status, error_body(3, "ERROR_INVALID_ARGUMENT", bad_json_text(given), "[]") end
  return status, own_body(status)
end

-- What is known of the request: from this filter, or, if it never came so far, from headers of the local reply.
local function recall(handle, headers)
  local memory = handle:streamInfo():dynamicMetadata():get(MEMORY) or {}
  local family = FAMILIES[memory.family or ""] or FAMILIES[headers:get("x-edge-family") or ""]
  local head = memory.head or headers:get("x-edge-head") ~= nil
  headers:remove("x-edge-head")
  headers:remove("x-edge-family")
  return family, head, memory.fault or ""
end

local function take(headers, name)
  local value = headers:get(name)
  headers:remove(name)
  return value
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
  local family, head, fault = recall(handle, headers)
  if is_grpc(headers) then
    if not family then
      replace_grpc_words(headers)
      headers:remove("edge-status")
      headers:remove("edge-code")
      return
    end
    -- Envoy has put into the words of gRPC what was refused; nothing else is answered so in a family.
    headers:replace(":status", "400")
  end
  for _, name in ipairs(GRPC_HEADERS) do headers:remove(name) end
  local said, mark = tonumber(take(headers, "edge-status") or ""), take(headers, "edge-code")
  if family then
    for name, value in pairs(family.headers) do headers:replace(name, value) end
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
  if fault == "" then
    status, text = failure(family, status, said, mark, given)
  else
    text = family and family_body(family, status, fault) or error_body(3, OWN_WORDS[400][2], fault, "[]")
  end
  -- Reading the body suspended the filter, so the headers have to be taken anew.
  headers = handle:headers()
  headers:replace(":status", tostring(status))
  headers:replace("content-type", "application/json")
  -- What is refused before it has a route does not get the headers of one.
  for name, value in pairs(HEADERS) do headers:replace(name, value) end
  -- Nil when the answer has nothing after its headers, not even an end.
  if body then body:setBytes(head and "" or text) end
  if head then headers:replace("content-length", tostring(#text)) end
end
