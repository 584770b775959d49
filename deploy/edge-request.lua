-- The edge's filter, on the way in: knows from the descriptor which paths exist, so that an unknown path and a wrong verb
-- are told apart, and takes out of a REST request what the transcoder must not see. Native gRPC passes untouched.

-- By path, and by pattern of a templated path: the methods that it takes as the header Allow lists them, and by method
-- the fields that are neither in the path nor all of the body.
local EXACT = ${EXACT_PATHS}
local PATTERNS = ${PATH_PATTERNS}

-- As the routes of envoy.yaml say it to the buffer filter.
local MAX_BODY_BYTES = ${MAX_BODY_BYTES}
local MAX_TOKENLESS_BODY_BYTES = ${MAX_TOKENLESS_BODY_BYTES}
local TOKEN_HEADERS = ${TOKEN_HEADERS}

-- deploy/edge-families.json by name, with patterns of the paths.
local FAMILIES = ${FAMILIES}

-- Where this filter keeps what it has to know of the request when the answer comes.
local MEMORY = "identity.edge"

-- What a REST caller cannot mean: of its JSON the transcoder makes a message that is neither packed nor answered packed,
-- and deadlines are no part of REST.
local NOT_FOR_REST = {
  "grpc-encoding", "grpc-accept-encoding", "grpc-status", "grpc-message", "grpc-previous-rpc-attempts", "grpc-timeout",
}

-- The name of the family of a path, or "".
local function family_of(path)
  for name, family in pairs(FAMILIES) do
    for _, pattern in ipairs(family.patterns) do
      if path:find(pattern) then return name end
    end
  end
  return ""
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

-- Why a request is refused whatever its path and method are, or "".
local function refusal(headers, family)
  -- Envoy takes that for a host, servers of HTTP/2 do not.
  if headers:get(":authority") == "" then return "The host is empty." end
  if family ~= "" and (headers:get("content-type") or ""):find("^application/grpc") then
    return "The content type is not JSON. No gRPC method has this path."
  end
  return ""
end

local function max_body_bytes(headers)
  for name in pairs(TOKEN_HEADERS) do
    if headers:get(name) then return MAX_BODY_BYTES end
  end
  return MAX_TOKENLESS_BODY_BYTES
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

local function remember(handle, family, fault)
  local headers, memory = handle:headers(), handle:streamInfo():dynamicMetadata()
  memory:set(MEMORY, "family", family)
  memory:set(MEMORY, "fault", fault)
  memory:set(MEMORY, "method", headers:get(":method"))
  memory:set(MEMORY, "id", headers:get("x-request-id") or "")
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
  if family ~= "" or fault ~= "" or method == "HEAD" then remember(handle, family, fault) end
  if fault ~= "" then
    handle:respond({ [":status"] = "400" }, "")
    return
  end
  if is_grpc(headers) then return end
  for _, name in ipairs(NOT_FOR_REST) do headers:remove(name) end
  -- The deadline of the route was taken from them.
  handle:clearRouteCache()
  if family ~= "" and #path > 1 then path = path:gsub("/+$", "") end
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
    headers:replace(":path", path .. (family ~= "" and family_query(query, route.query[method]) or ""))
  end
end
