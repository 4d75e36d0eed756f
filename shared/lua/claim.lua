--[[
  Makes the caller a partition's owner, if the owner is still the one it saw (compare and set).

  KEYS[1]  control hash
  ARGV[1]  owner as last seen, '' for none
  ARGV[2]  the caller's claim: session and a fresh number, so that an old claim never comes back

  Returns {1, new owner} or {0, actual owner}.
]]
local owner = redis.call('HGET', KEYS[1], 'owner') or ''
if owner ~= ARGV[1] then
  return { 0, owner }
end
-- First a write that needs no room: a full Redis refuses a script whose first write might need some.
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], 'owner', ARGV[2])
return { 1, ARGV[2] }
