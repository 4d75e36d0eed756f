--[[
  Makes the caller a partition's owner, if the owner is still the one it saw (compare and set).

  KEYS[1]  control hash
  ARGV[1]  owner as last seen, '' for none
  ARGV[2]  the caller's claim: session and a fresh number, so that a former claim never comes back
  ARGV[3]  refuse after this Redis time, ms

  Returns {1, new owner} or {0, actual owner}.

  Repeated? The owner is no longer the one seen.
  Late? Refused: the caller has given the claim up by then, and would not serve the partition under it.
  Reordered? One of the two finds another owner than it saw.
  Claim lost? The claim stands, and others take it over as that of a dead session.
]]
local owner = redis.call('HGET', KEYS[1], 'owner') or ''
local time = redis.call('TIME')
if owner ~= ARGV[1] or time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[3]) then
  return { 0, owner }
end
-- First a write that needs no room: a full Redis refuses a script whose first write might need some.
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], 'owner', ARGV[2])
return { 1, ARGV[2] }
