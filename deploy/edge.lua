-- Gives every REST error one body: grpc-gateway's {code, message, details} and, beside it, detail {code, message},
-- which consoles read (contract/errors.md 2). Knows from the descriptor which paths exist, so that an unknown path
-- and a wrong verb are told apart. Runs around the transcoder; native gRPC passes untouched.

-- ["/identity/v2/token/issue"] = "POST"; templated paths as {"^/v3/users/[^/]+$", "GET, PATCH"}.
local EXACT = ${EXACT_PATHS}
local PATTERNS = ${PATH_PATTERNS}

local MAX_BODY_BYTES = ${MAX_BODY_BYTES}

-- What is said for an answer that is not the service's own, so that nothing inner leaks, by HTTP status: gRPC code,
-- reason, text (deploy/edge-words.json).
local OWN_WORDS = ${OWN_WORDS}
-- The same for an answer to native gRPC, by its gRPC code.
local OWN_GRPC_WORDS = { [4] = OWN_WORDS[504], [8] = OWN_WORDS[429], [12] = OWN_WORDS[501], [14] = OWN_WORDS[503] }

-- What the transcoder leaves of the gRPC answer and no REST caller needs.
local GRPC_HEADERS = { "grpc-status", "grpc-message", "grpc-encoding", "grpc-accept-encoding" }

-- Exactly what the transcoder and the routes take for native gRPC and leave alone; grpc-web is not.
local function is_grpc(headers)
  local kind = (headers:get("content-type") or ""):match("^application/grpc(.?)")
  return kind == "" or kind == "+" or kind == ";"
end

-- The methods that a path takes, or nil for a path that no method has.
local function allowed_methods(path)
  local methods = EXACT[path]
  if methods then return methods end
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

local function own_body(status)
  local words = OWN_WORDS[status] or OWN_WORDS[status < 500 and 400 or 500]
  return error_body(words[1], words[2], words[3], "[]")
end

-- Why the transcoder refused a body, as "field: what is wrong". Of the transcoder's own text only the remarks on JSON
-- itself are passed on: the others quote the caller's values, which may be secrets, and name inner types.
local function body_fault(reason)
  local field, rest = reason:match("^([%w_.%[%]]*): (.*)$")
  if not field then
    local line = reason:match("^[%w %.:,'{}%[%]-]*")
    if line == "" or line:find("google", 1, true) then return "It cannot be read." end
    return (line:gsub(" for key '.*", "."))
  end
  if rest:find("^Root element") then return "It must be an object." end
  local text = "It cannot be read."
  if rest:find("^invalid value") then
    text = "The value does not fit the field."
    -- An object in the place of a plain value: the field stands where its type would.
    local name = rest:match(" for type ([%l%d_]+)$")
    if name then field = field == "" and name or field .. "." .. name end
  elseif rest:find("not repeating", 1, true) then
    text = "There is a list where none belongs."
  end
  return field == "" and text or field .. ": " .. text
end

local function bad_json_body(reason)
  local text = "The request body is not valid JSON for this method. (reason = " .. body_fault(reason) .. ")"
  return error_body(3, "ERROR_INVALID_ARGUMENT", text, "[]")
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

-- Code, reason, text and details of a transcoded google.rpc.Status whose message is the service's own.
local function parse_status(json)
  local code = tonumber(json:match('^{"code":(%d+)'))
  local _, before = json:find('^{"code":%d+,"message":"')
  local last = before and string_end(json, before + 1)
  if not code or not last then return nil end
  local reason, text = json:sub(before + 1, last):match("^(ERROR_[A-Z0-9_]+):%s*(.*)$")
  if not reason then return nil, code end
  local details = json:match('^,"details":(%[.*%])}$', last + 2)
  return { code = code, reason = reason, text = text, details = details or "[]" }, code
end

local function replace_grpc_words(headers)
  local message = headers:get("grpc-message")
  local words = OWN_GRPC_WORDS[tonumber(headers:get("grpc-status") or 0)]
  if words and message and not message:find("^ERROR_") then
    headers:replace("grpc-message", words[2] .. ": " .. words[3])
  end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if is_grpc(headers) then return end
  local path = headers:get(":path"):match("^[^?]*")
  local method = headers:get(":method")
  local methods = allowed_methods(path)
  if not methods then
    handle:respond({ [":status"] = "404" }, "")
  elseif not (", " .. methods .. ","):find(", " .. method .. ",", 1, true) then
    handle:respond({ [":status"] = "405", ["allow"] = methods }, "")
  elseif tonumber(headers:get("content-length") or 0) > MAX_BODY_BYTES then
    -- Refused before any of it is read; a body without a length is the buffer filter's.
    handle:respond({ [":status"] = "413" }, "")
  elseif method ~= "GET" then
    -- The body is the whole request: values in an address end up in logs.
    headers:replace(":path", path)
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  if is_grpc(headers) then return replace_grpc_words(headers) end
  for _, name in ipairs(GRPC_HEADERS) do headers:remove(name) end
  local status = tonumber(headers:get(":status"))
  -- An answer in JSON has a length, of "{}" at least. One without broke off between its headers and its message.
  local length = tonumber(headers:get("content-length") or 0)
  if status < 400 and length > 0 then return end

  if headers:get("x-edge-head") then
    -- A body after HEAD would be read as the next answer.
    headers:remove("x-edge-head")
    headers:replace("content-type", "application/json")
    return
  end
  local body = handle:body(true)
  local size = body and body:length() or 0
  local given = size > 0 and body:getBytes(0, size) or ""
  if status < 400 then
    if size > 0 then return end
    status = 502
  end
  local answer, code = parse_status(given)
  if code == 8 and (not answer or answer.reason == "ERROR_MESSAGE_TOO_LARGE") then status = 413 end

  local text
  if answer then
    text = error_body(answer.code, answer.reason, answer.text, answer.details)
  elseif status == 400 and given ~= "" and given ~= "Bad Request" then
    text = bad_json_body(given)
  else
    text = own_body(status)
  end
  -- Reading the body suspended the filter, so the headers have to be taken anew.
  headers = handle:headers()
  headers:replace(":status", tostring(status))
  headers:replace("content-type", "application/json")
  -- Nil when the answer has nothing after its headers, not even an end.
  if body then body:setBytes(text) end
end
