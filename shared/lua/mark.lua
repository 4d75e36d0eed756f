--[[
  Adds partitions to the active set: the partitions that may hold elements. An api does this before the
  add that makes a partition active (add-chunk.lua), since the two keys lie in different slots.

  KEYS[1]  active: zset of partition tag by mark, Redis ms. Marks of a tag strictly increase
  ARGV[1..]  tags

  Returns nothing.

  Repeated? Keeps a partition in the set for longer.
  Late? The same.
  Reordered? The same: marks never decrease.
  Claim lost? No claim is involved.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV do
  local before = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or 0)
  redis.call('ZADD', KEYS[1], string.format('%.0f', math.max(now, before + 1)), ARGV[i])
end
return 0
