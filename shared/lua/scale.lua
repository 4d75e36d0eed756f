--[[
  Stores one decision about the number of workers for all processes (compare and set).

  KEYS[1]  hash: version, record
  ARGV[1]  version the caller saw, '0' for none
  ARGV[2]  new record (JSON)

  Returns the current record.

  Repeated?    The first call changed the version: nothing changes.
  Late?        Changes nothing if the decision has changed.
  Reordered?   The newer call changed the version, so the older one does nothing.
  Claim lost?  The decision belongs to the deployment and does not depend on claims.
]]
local kept = redis.call('HMGET', KEYS[1], 'version', 'record')
local version = kept[1] or '0'
if version ~= ARGV[1] then
  return kept[2] or ''
end
redis.call('HSET', KEYS[1], 'version', tostring(tonumber(version) + 1), 'record', ARGV[2])
return ARGV[2]
