--[[
  Removes partitions from the active set that were deactivated (deactivate.lua) after their mark was
  read. A partition with a newer mark stays, because an add may follow that mark.

  KEYS[1]  active: zset of partition tag by mark, Redis ms
  ARGV[1]  minimum age of a mark, ms: an api of an older version marks a partition and adds to it for up
           to 11 s
  ARGV[2..]  per partition: tag, its mark as read before it was deactivated

  Returns the number of removed partitions.

  Repeated? Removes nothing.
  Late? The mark has changed if anything was added since.
  Reordered? The same.
  Claim lost? No claim is involved.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local removed = 0
for i = 2, #ARGV, 2 do
  local mark = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if mark and tonumber(mark) == tonumber(ARGV[i + 1]) and tonumber(mark) < now - tonumber(ARGV[1]) then
    removed = removed + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return removed
