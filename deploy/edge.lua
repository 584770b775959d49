-- Gives every REST error one body: grpc-gateway's {code, message, details} and, beside it, detail {code, message},
-- which consoles read (contract/errors.md 2). Knows from the descriptor which paths exist, so that an unknown path
-- and a wrong verb are told apart. Runs around the transcoder; native gRPC passes untouched.

-- ["/identity/v2/token/issue"] = "POST"; templated paths as {"^/v3/users/[^/]+$", "GET, PATCH"}.
local EXACT = ${EXACT_PATHS}
local PATTERNS = ${PATH_PATTERNS}

-- What is said for an answer that is not the service's own, so that nothing inner leaks: gRPC code, reason, text.
local OWN_WORDS = {
  [400] = { 3, "ERROR_INVALID_ARGUMENT", "The request is malformed." },
  [404] = { 5, "ERROR_UNSUPPORTED_API", "There is no such path." },
  [405] = { 12, "ERROR_UNSUPPORTED_API", "The path does not take this HTTP method." },
  [408] = { 4, "ERROR_REQUEST_TIMEOUT", "The request did not arrive in time." },
  [413] = { 8, "ERROR_MESSAGE_TOO_LARGE", "The request body is too large." },
  [429] = { 8, "ERROR_TOO_MANY_REQUESTS", "Too many requests." },
  [431] = { 3, "ERROR_INVALID_ARGUMENT", "The request headers are too large." },
  [501] = { 12, "ERROR_NOT_IMPLEMENTED", "The method is not implemented." },
  [503] = { 14, "ERROR_UNAVAILABLE", "The service is not available now." },
  [504] = { 4, "ERROR_REQUEST_TIMEOUT", "The service did not answer in time." },
}
-- The same for an answer to native gRPC, by its gRPC code.
local OWN_GRPC_WORDS = { [4] = OWN_WORDS[504], [8] = OWN_WORDS[429], [12] = OWN_WORDS[501], [14] = OWN_WORDS[503] }
local UNKNOWN = { 2, "ERROR_UNKNOWN", "An internal error occurred." }

-- What the transcoder leaves of the gRPC answer and no REST caller needs.
local GRPC_HEADERS = { "grpc-status", "grpc-message", "grpc-encoding", "grpc-accept-encoding" }

local function is_grpc(headers)
  local content_type = headers:get("content-type")
  return content_type ~= nil and content_type:find("^application/grpc") ~= nil
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
  local words = OWN_WORDS[status] or (status < 500 and OWN_WORDS[400]) or UNKNOWN
  return error_body(words[1], words[2], words[3], "[]")
end

-- The transcoder's reason for refusing a body, without the caller's values, which may be secrets, and without
-- anything that would need escaping.
local function bad_json_body(reason)
  local line = reason:match("^[^\r\n]*"):gsub("invalid value .* for type", "invalid value for type")
  line = line:gsub('".*"', ""):gsub('[%c"\\]', ""):gsub("[\128-\255]+", "?")
  local text = "The request body is not valid JSON for this method. (reason = " .. line .. ")"
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
  local words = OWN_GRPC_WORDS[tonumber(headers:get("grpc-status"))]
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
  if status < 400 then return end

  local body = handle:body(true)
  local size = body and body:length() or 0
  local given = size > 0 and body:getBytes(0, size) or ""
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
  body:setBytes(text)
end
