--[[
  Changes a workspace's gate, unless it has changed since the caller read it (compare and set).

  KEYS[1]  gate hash: version, record
  ARGV[1]  version the caller saw, '0' for none
  ARGV[2]  new record (JSON)
  ARGV[3]  pub/sub channel for wake-ups
  ARGV[4]  app id

  Returns {1 when changed else 0, current version, current record}.

  Repeated?    The first call changed the version: nothing changes.
  Late?        Changes nothing if the gate has changed.
  Reordered?   The newer call changed the version, so the older one does nothing.
  Claim lost?  The gate belongs to the workspace and does not depend on claims.
]]
local gate = redis.call('HMGET', KEYS[1], 'version', 'record')
local version = gate[1] or '0'
if version ~= ARGV[1] then
  return { 0, version, gate[2] or '' }
end
-- Later than any version that Redis lost with its last writes, and that workers still remember.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
version = string.format('%.0f', math.max(tonumber(version) + 1, now))
-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], 'version', version, 'record', ARGV[2])
redis.call('PUBLISH', ARGV[3], 'gate ' .. ARGV[4])
return { 1, version, ARGV[2] }
