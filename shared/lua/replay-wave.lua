--[[
  Opens a wave of a replay: dead letters that go back into their queues together. It reads what the
  wave must leave out in the same step, so that an erasure either is seen by the wave or sees the wave.

  KEYS[1]  waves: zset of wave by the time until which it may store, Redis ms
  KEYS[2]  erasures: hash of id to record
  KEYS[3]  bars: zset of bar by expiry, Redis ms
  ARGV[1]  the wave's id
  ARGV[2]  lifetime of the wave, ms

  Returns {until, number of bars, bar, …, record, …}.

  Repeated? The wave lasts longer.
  Late? Its caller has given up; the wave expires.
  Reordered? Every wave has a unique id.
  Claim lost? No claim is involved: what is stored after `until` is refused (add-chunk.lua).
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = now + tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], last, ARGV[1])
redis.call('PEXPIRE', KEYS[1], 60000)
local bars = redis.call('ZRANGEBYSCORE', KEYS[3], now, '+inf')
local reply = { last, #bars }
for _, bar in ipairs(bars) do
  reply[#reply + 1] = bar
end
for _, record in ipairs(redis.call('HVALS', KEYS[2])) do
  reply[#reply + 1] = record
end
return reply
