--[[
  Returns the backlog of a partition. Read-only.

  KEYS[1]  control hash
  KEYS[2]  wait list
  ARGV[1]  prefix of the jobs' keys

  Returns {bytes, users, events, devices, timestamp of the oldest chunk (ms since 1970) or '', actions of
  the events beyond the first of each, number of chunks}.

  Repeated?    Changes nothing.
  Late?        Changes nothing.
  Reordered?   Changes nothing.
  Claim lost?  Changes nothing.
]]
local counts = redis.call('HMGET', KEYS[1], 'bytes', 'user', 'event', 'device', 'actions')
local oldest = redis.call('LINDEX', KEYS[2], -1)
return { counts[1] or '0', counts[2] or '0', counts[3] or '0', counts[4] or '0',
  oldest and redis.call('HGET', ARGV[1] .. oldest, 'timestamp') or '', counts[5] or '0',
  redis.call('LLEN', KEYS[2]) }
