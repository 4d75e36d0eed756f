--[[
  Makes an empty partition inactive: the next add is refused until its api has marked the partition
  again. Only then may the partition leave the active set (prune.lua).

  KEYS[1]  wait list
  KEYS[2]  control hash

  Returns 1, or 0 when chunks wait.

  Repeated? An api that marked for an earlier activation is refused, and marks again.
  Late? The same: emptiness is read here and not believed.
  Reordered? The same.
  Claim lost? No claim is involved.
]]
if redis.call('LLEN', KEYS[1]) > 0 then
  return 0
end
redis.call('HDEL', KEYS[2], 'active')
redis.call('HINCRBY', KEYS[2], 'activation', 1)
return 1
