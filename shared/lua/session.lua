--[[
  Keeps a worker's session alive and tells it who else is alive and where work is.

  KEYS[1]  sessions: zset of session by expiry, Redis ms
  KEYS[2]  dirty: zset of partition tag by when it was last marked, Redis ms
  ARGV[1]  session
  ARGV[2]  lease, ms
  ARGV[3]  'join', 'renew' or 'leave'
  ARGV[4]  pub/sub channel for wake-ups

  Returns {state, Redis time in ms, {session, expiry, …}, {dirty tag, …}}; state is
    alive  the lease runs from now
    lost   the session had expired: it is gone for good, and so are its partitions
    left   it was given up
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
-- Redis' clock stepped back: nobody's lease is that long, and a dead worker's must end. Far above the
-- caller's own, since another worker's may be set to more.
local latest = now + math.max(4 * tonumber(ARGV[2]), 60000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. latest, '+inf')) do
  redis.call('ZADD', KEYS[1], latest, id)
end
local state = 'alive'
if ARGV[3] == 'leave' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('PUBLISH', ARGV[4], 'sessions')
  state = 'left'
elseif ARGV[3] == 'renew' and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  state = 'lost'
else
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
  if ARGV[3] == 'join' then
    redis.call('PUBLISH', ARGV[4], 'sessions')
  end
end
return { state, now, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('ZRANGE', KEYS[2], 0, -1) }
