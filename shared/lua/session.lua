--[[
  Renews a worker's session and returns the live sessions and the active partitions.

  KEYS[1]  sessions: zset of session by expiry, Redis ms
  KEYS[2]  active: zset of partition tag by mark (mark.lua)
  KEYS[3]  run: hash of its digest, time of its first call ("since", Redis ms), and the sessions that
           were registered then ("before", separated by spaces)
  ARGV[1]  session
  ARGV[2]  lease, ms
  ARGV[3]  'join', 'renew' or 'leave'; 'look' of a process without a session
  ARGV[4]  pub/sub channel for wake-ups
  ARGV[5]  for join: the worker's previous session, which ends; '' for none
  ARGV[6]  digest of the caller's run of Redis

  Returns {state, Redis time in ms, {session, expiry, …}, {active tag, mark, …}, since,
  before}; state is
    alive  the lease starts now
    lost   the session had expired; its id is never used again
    left   the session ended

  Repeated? The lease starts at the last executed call.
  Late? The lease ends later than its owner assumes, so others wait longer. A join after a leave keeps
  a session without a worker for one lease.
  Reordered? As repeated.
  Claim lost? Claims are not read here.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('HDEL', KEYS[3], '')
-- The sessions of the previous run that did not leave. They include those whose lease seems to be over,
-- because Redis may have lost renewals.
if redis.call('HGET', KEYS[3], 'digest') ~= ARGV[6] then
  local before = table.concat(redis.call('ZRANGE', KEYS[1], 0, -1), ' ')
  redis.call('HSET', KEYS[3], 'digest', ARGV[6], 'since', now, 'before', before)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
-- A lease beyond this bound means that Redis' clock stepped back; a dead worker's lease must still end.
-- The bound is far above the caller's lease, since other workers may use a longer one.
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
elseif ARGV[3] ~= 'look' then
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
  if ARGV[3] == 'join' then
    redis.call('ZREM', KEYS[1], ARGV[5])
    redis.call('PUBLISH', ARGV[4], 'sessions')
  end
end
local run = redis.call('HMGET', KEYS[3], 'since', 'before')
return { state, now, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'),
  run[1], run[2] }
