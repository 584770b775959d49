-- The edge's filter: bodies of errors. Every REST error has one body, grpc-gateway's {code, message, details} and, beside
-- it, detail {code, message}, which consoles read (contract/errors.md 2); in a family it is the one of the family.

-- What is said for an answer that is not the service's own, so that nothing inner leaks, by HTTP status: gRPC code,
-- reason, text (deploy/edge-words.json).
local OWN_WORDS = ${OWN_WORDS}

-- Of what the transcoder says of a body or a parameter, the patterns that tell field and member; the rest quotes the
-- caller's values, which may be secrets, and names inner types.
local BODY_FAULTS = {
  {
    "^([%w_.%[%]]*): invalid value oneof field .* Cannot set '([%w_]+)' for type oneof$",
    "It is given twice, or with one that excludes it.",
  },
  {
    "^([%w_.%[%]]*): invalid value Starting an object on a scalar field for type ([%w_]+)$",
    "The value does not fit the field.",
  },
  { "^([%w_.%[%]]+): invalid value ", "The value does not fit the field." },
}

local function own_words(status)
  return OWN_WORDS[status] or OWN_WORDS[status < 500 and 400 or 500]
end

local function error_body(code, reason, text, details)
  return string.format(
    '{"code":%d,"message":"%s: %s","details":%s,"detail":{"code":"%s","message":"%s"}}',
    code, reason, text, details, reason, text)
end

local function family_body(family, status, text, mark)
  local values = { status = tostring(status), text = text, mark = mark or family.marks[status] or "" }
  return (family.error:gsub("{(%l+)}", values))
end

-- The field at fault, or "" for the whole, and what is wrong.
local function body_fault(reason)
  for _, fault in ipairs(BODY_FAULTS) do
    local field, member = reason:match(fault[1])
    if field then return (field .. "." .. (member or "")):gsub("^%.", ""):gsub("%.$", ""), fault[2] end
  end
  return "", "It cannot be read."
end

-- What the transcoder has refused; in a family in the words of src/rpc/wording.ts.
local function malformed_text(family, reason)
  local field, text = body_fault(reason)
  if family then
    if field == "" then return "Malformed request body: " .. text end
    return "Invalid input for field '" .. field:gsub("^body%.", ""):gsub("^user%.", "") .. "': " .. text
  end
  if field ~= "" then text = field .. ": " .. text end
  return "The request body is not valid JSON for this method. (reason = " .. text .. ")"
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

-- What a failure is answered with: HTTP status and body. `fault` is why this filter has refused the request, or "";
-- `said` and `mark` are the status and the code that the service gave it; `given` is the body as it came here.
local function failure(family, status, fault, said, mark, given)
  local answer = parse_status(given)
  if not said and answer.code == 8 and (not answer.reason or answer.reason == "ERROR_MESSAGE_TOO_LARGE") then
    status = 413
  end
  local text = fault ~= "" and fault or nil
  if status == 400 and not text and not answer.code and given ~= "" and given ~= "Bad Request" then
    text = malformed_text(family, given)
  end
  if family then
    if said and answer.message then status, text = said, answer.message end
    status = family.instead[status] or status
    return status, family_body(family, status, text or own_words(status)[3], mark)
  end
  if answer.reason then return status, error_body(answer.code, answer.reason, answer.text, answer.details) end
  local words = own_words(status)
  return status, error_body(words[1], words[2], text or words[3], "[]")
end
