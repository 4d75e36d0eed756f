--[[
  Marks partitions as possibly holding data; done before an add, since the two lie in different
  slots. A mark too many costs a look, one too few would leave elements unseen.

  KEYS[1]  dirty: zset of partition tag by when it was last marked, Redis ms
  ARGV[1..]  tags

  Returns Redis time in ms.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV do
  redis.call('ZADD', KEYS[1], now, ARGV[i])
end
return now
