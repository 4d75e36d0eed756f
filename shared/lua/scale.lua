--[[
  Keeps one decision about the number of workers for all processes (compare and set).

  KEYS[1]  hash: version, record
  ARGV[1]  version the caller saw, '0' for none
  ARGV[2]  new record (JSON)

  Returns the record now in force.

  Repeated?    The version has changed by the first call: nothing changes.
  Late?        Changes nothing unless the decision is what the caller saw.
  Reordered?   The newer call changed the version, so the older one does nothing.
  Claim lost?  The decision is the deployment's.
]]
local kept = redis.call('HMGET', KEYS[1], 'version', 'record')
local version = kept[1] or '0'
if version ~= ARGV[1] then
  return kept[2] or ''
end
redis.call('HSET', KEYS[1], 'version', tostring(tonumber(version) + 1), 'record', ARGV[2])
return ARGV[2]
