--[[
  Strikes partitions that the caller found empty off the list of those with data. A partition that
  was marked again since is left: an add may be under way.

  KEYS[1]  dirty: zset of partition tag by when it was last marked, Redis ms
  ARGV[1]  strike only marks older than this many ms
  ARGV[2..]  tags

  Returns how many were struck.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local struck = 0
for i = 2, #ARGV do
  local marked = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if marked and tonumber(marked) < now - tonumber(ARGV[1]) then
    struck = struck + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return struck
