-- Refuses JSON of more values than a request has use for, before the transcoder makes a message of it: a digit in a list
-- becomes eleven bytes, and forty more while they are written. Runs behind the buffer filter, which has the whole body;
-- the other filter gives the answer its words. What is counted begins a value or ends one: "," "[" "{", in texts as well,
-- which costs less than telling them apart.

local MAX_VALUES = ${MAX_VALUES}
-- Looked at in pieces of so many bytes, which are soon given back.
local PIECE = 16384

function envoy_on_request(handle)
  if is_grpc(handle:headers()) then return end
  local body = handle:body()
  local size = body and body:length() or 0
  -- So many take two bytes each.
  if size <= 2 * MAX_VALUES then return end
  local values = 0
  for first = 0, size - 1, PIECE do
    local json, at = body:getBytes(first, math.min(PIECE, size - first)), 0
    repeat
      at = json:find("[,%[{]", at + 1)
      if at then values = values + 1 end
      if values > MAX_VALUES then
        handle:respond({ [":status"] = "413" }, "")
        return
      end
    until not at
  end
end
