--[[
  Keeps a worker's session alive and returns which others are alive and which partitions are active.

  KEYS[1]  sessions: zset of session by expiry, Redis ms
  KEYS[2]  active: zset of partition tag by mark (mark.lua)
  KEYS[3]  run: hash of its digest, when its first session called ("since", Redis ms), and the sessions
           that were registered then ("before", by blanks)
  ARGV[1]  session
  ARGV[2]  lease, ms
  ARGV[3]  'join', 'renew' or 'leave'
  ARGV[4]  pub/sub channel for wake-ups
  ARGV[5]  for join: the worker's session before this one, which ends; '' for none
  ARGV[6]  digest of the run of Redis that the caller speaks to

  Returns {state, Redis time in ms, {session, expiry, …}, {active tag, mark, …}, since,
  before}; state is
    alive  the lease runs from now
    lost   the session had expired: its id is never used again
    left   it was given up

  Repeated? The lease runs from the last call that was executed.
  Late? A lease longer than its owner counts on, so others wait longer; a join after a leave keeps a
  session without a worker for one lease.
  Reordered? As repeated.
  Claim lost? Claims are not read here.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- First a write that needs no room: a full Redis refuses a script whose first write might need some.
redis.call('HDEL', KEYS[3], '')
-- Those of the run before that did not leave. Redis may have forgotten how long they went on, so also
-- those whose lease seems to be over.
if redis.call('HGET', KEYS[3], 'digest') ~= ARGV[6] then
  local before = table.concat(redis.call('ZRANGE', KEYS[1], 0, -1), ' ')
  redis.call('HSET', KEYS[3], 'digest', ARGV[6], 'since', now, 'before', before)
end
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
    redis.call('ZREM', KEYS[1], ARGV[5])
    redis.call('PUBLISH', ARGV[4], 'sessions')
  end
end
local run = redis.call('HMGET', KEYS[3], 'since', 'before')
return { state, now, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'),
  run[1], run[2] }
