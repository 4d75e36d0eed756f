--[[
  Empties a workspace's census (names.lua). The numbers of changes and resets stay, so that apis notice.

  KEYS[1]  the census

  Returns the number of resets.

  Repeated? Also removes what was recorded meanwhile.
  Late? The same.
  Reordered? Two resets are one.
  Claim lost? No claim is involved.
]]
local changes, resets = unpack(redis.call('HMGET', KEYS[1], '@', '@resets'))
redis.call('DEL', KEYS[1])
resets = (tonumber(resets) or 0) + 1
redis.call('HSET', KEYS[1], '@', (tonumber(changes) or 0) + 1, '@resets', resets)
return resets
