--[[
  Stores one chunk as a BullMQ job of its partition. It wraps BullMQ's addStandardJob (prepended to
  this script as `addStandardJob`), so that the checks of deadline, closing and idempotency, the
  accounting and the add are one atomic step.

  KEYS[1]     BullMQ's key prefix of the partition's jobs. All other keys start with it and lie in
              its slot; listing them would make up most of the command
  ARGV[1]     the job's timestamp, ms
  ARGV[2]     deadline in Redis time, ms: a command that a hung server executes late must not be
              stored behind newer data
  ARGV[3]     the job's data, JSON
  ARGV[4]     the chunk
  ARGV[5..8]  its bytes, users, events, devices (elements as posted)
  ARGV[9]     actions of its events beyond the first of each
  ARGV[10]    the partition's tag
  ARGV[11]    pub/sub channel for wake-ups
  ARGV[12]    activation for which the caller has marked the partition active, '' for none
  ARGV[13..]  digests of the keyed posts in the chunk: 12 bytes, optionally followed by the time of
              the key's first use (4 bytes, Redis time in s since 1970). The default is now

  Returns {outcome, Redis time in ms, …}:
    stored            the chunk is in the wait list
    late              the deadline had passed; nothing was stored
    closed            the partition's generation takes no more elements; nothing was stored
    inactive, activation   the partition is not in the active set; nothing was stored. Mark it
                           (mark.lua), then add again with this activation
    seen, digest, …   these posts are stored here already; nothing was stored

  Repeated? Its digests are seen. A chunk without digests is stored again: its producer got a 503.
  Late? Refused after its deadline.
  Reordered? Chunks of one api leave one after the other; those of others are unordered.
  Claim lost? No claim is involved.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[2]) then
  return { 'late', now }
end
local base = KEYS[1]
local controlKey = base .. 'relay'
local control = redis.call('HMGET', controlKey, 'closed', 'owner', 'watch', 'active', 'activation')
if control[1] then
  return { 'closed', now }
end
local activation = control[5] or '0'
if not control[4] and ARGV[12] ~= activation then
  return { 'inactive', now, activation }
end
-- A key can be reused a day after its first use, but the digests of that use may be younger.
local DAY_S = 86400
local function usedAt(i)
  return #ARGV[i] > 12 and string.sub(ARGV[i], 13, 16) or struct.pack('>I4', tonumber(time[1]))
end
local function isSeen(key, i)
  local stored = redis.call('HGET', key, string.sub(ARGV[i], 1, 12))
  if not stored or #stored < 4 then
    -- Older versions of relay stored no time.
    return stored ~= false
  end
  return struct.unpack('>I4', usedAt(i)) - struct.unpack('>I4', stored) < DAY_S
end
local today
if #ARGV > 12 then
  -- The day by Redis' clock, the same for all callers. That clock may have stepped back over midnight.
  local day = math.floor(time[1] / DAY_S)
  today = base .. 'seen:' .. day
  local yesterday, tomorrow = base .. 'seen:' .. (day - 1), base .. 'seen:' .. (day + 1)
  local seen = {}
  for i = 13, #ARGV do
    if isSeen(today, i) or isSeen(yesterday, i) or isSeen(tomorrow, i) then
      seen[#seen + 1] = ARGV[i]
    end
  end
  if #seen > 0 then
    return { 'seen', now, unpack(seen) }
  end
end

local wait = base .. 'wait'
local meta = base .. 'meta'
local waiting = redis.call('LLEN', wait)
if waiting == 0 then
  -- BullMQ would keep 10,000 events per queue, which relay does not read.
  redis.call('HSETNX', meta, 'opts.maxLenEvents', 0)
end
-- BullMQ's counter alone may repeat: a failover or an older snapshot resets it. A settle or a dead
-- letter that names a chunk of the previous run must never refer to a later chunk.
local next = string.format('%.0f', (tonumber(redis.call('GET', base .. 'id')) or 0) + 1)
local unique = next .. '-' .. string.format('%.0f', time[1] * 1000000 + time[2])
local id = addStandardJob(
  { wait, base .. 'paused', meta, base .. 'id', base .. 'completed', base .. 'delayed',
    base .. 'active', base .. 'events', base .. 'marker' },
  { { base, unique, 'chunk', ARGV[1] }, ARGV[3], {} }
)
redis.call('HSET', base .. id, 'chunk', ARGV[4],
  'counts', ARGV[5] .. ',' .. ARGV[6] .. ',' .. ARGV[7] .. ',' .. ARGV[8])
redis.call('HINCRBY', controlKey, 'bytes', ARGV[5])
if ARGV[6] ~= '0' then redis.call('HINCRBY', controlKey, 'user', ARGV[6]) end
if ARGV[7] ~= '0' then redis.call('HINCRBY', controlKey, 'event', ARGV[7]) end
if ARGV[8] ~= '0' then redis.call('HINCRBY', controlKey, 'device', ARGV[8]) end
if ARGV[9] ~= '0' then
  redis.call('HSET', base .. id, 'actions', ARGV[9])
  redis.call('HINCRBY', controlKey, 'actions', ARGV[9])
end
if today then
  for i = 13, #ARGV do
    redis.call('HSET', today, string.sub(ARGV[i], 1, 12), usedAt(i))
  end
  redis.call('EXPIRE', today, 172800)
end
if not control[4] then
  redis.call('HSET', controlKey, 'active', '1')
end
if control[3] then
  redis.call('HDEL', controlKey, 'watch')
end
if waiting == 0 or control[3] then
  redis.call('PUBLISH', ARGV[11], 'wake ' .. ARGV[10] .. ' ' .. (control[2] or ''))
end
return { 'stored', now }
