--[[
  Makes an empty partition inactive: the next add is refused until the api has marked the partition
  again. prune.lua removes only inactive partitions from the active set.

  KEYS[1]  wait list
  KEYS[2]  control hash

  Returns 1, or 0 when the partition is not empty.

  Repeated? An api that marked for an earlier activation is refused, and marks again.
  Late? The same: this script reads the length itself.
  Reordered? The same.
  Claim lost? No claim is involved.
]]
if redis.call('LLEN', KEYS[1]) > 0 then
  return 0
end
redis.call('HDEL', KEYS[2], 'active')
redis.call('HINCRBY', KEYS[2], 'activation', 1)
return 1
