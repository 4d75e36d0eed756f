--[[
  Keeps a customer's dead letters out of all waves of replays that open from now on, and returns the
  waves that opened before and may still store.

  KEYS[1]  bars: zset of bar by expiry, Redis ms
  KEYS[2]  waves: zset of wave by the time until which it may store, Redis ms
  ARGV[1]  the bar: app id, customer and the erasure's id
  ARGV[2]  lifetime of the bar, ms: long enough for the erasure's record to be written

  Repeated? The bar lasts longer.
  Late? Its caller has given up; the bar expires.
  Reordered? The bar lasts as long as the last call says.
  Claim lost? No claim is involved.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], 60000)
return redis.call('ZRANGEBYSCORE', KEYS[2], now, '+inf')
