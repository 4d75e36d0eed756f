--[[
  Makes the caller the owner of a partition, unless the owner has changed (compare and set).

  KEYS[1]  control hash
  ARGV[1]  owner as last seen, '' for none
  ARGV[2]  the caller's claim: session and a new number, so that no claim is ever used twice
  ARGV[3]  deadline in Redis time, ms

  Returns {1, new owner, id of the last settle or ''} or {0, actual owner}.

  Repeated? Refused: the owner has changed.
  Late? Refused: the caller has abandoned the claim by then and would not serve the partition.
  Reordered? One of the two is refused, because the owner has changed.
  Claim lost? The claim stays until other workers take it over from the dead session.
]]
local owner = redis.call('HGET', KEYS[1], 'owner') or ''
local time = redis.call('TIME')
if owner ~= ARGV[1] or time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[3]) then
  return { 0, owner }
end
-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], 'owner', ARGV[2])
return { 1, ARGV[2], redis.call('HGET', KEYS[1], 'settle') or '' }
