--[[
  Stores one chunk as a BullMQ job of its partition. Wrapped around BullMQ's own addStandardJob
  (defined above this text as `addStandardJob`), so that deadline, closing, idempotency and
  accounting are one atomic step with the add.

  KEYS[1]     what BullMQ puts before the ids of the partition's jobs: all other keys begin with it,
              and so lie in its slot. Named one by one they would be most of the command.
  ARGV[1]     now, ms: the job's timestamp
  ARGV[2]     refuse after this Redis time, ms: a command that a hung server executes late must not
              slip in behind newer data
  ARGV[3]     the job's data, JSON
  ARGV[4]     the chunk
  ARGV[5..8]  its bytes, users, events, devices (elements as posted)
  ARGV[9]     the partition's tag
  ARGV[10]    pub/sub channel for wake-ups
  ARGV[11]    activation for which the caller has put the partition into the active set, '' for none
  ARGV[12..]  digests of the keyed posts in the chunk: 12 bytes and, behind them, when the post's key
              was first used (4 bytes, s since 1970, Redis' time). Without these the key is used now

  Returns {outcome, Redis time in ms, …}:
    stored            the chunk waits
    late              the deadline had passed; nothing was stored
    closed            the partition's generation takes no more elements; nothing was stored
    inactive, activation   the partition is not in the active set; nothing was stored. Mark it
                           (mark.lua), then add again with this activation
    seen, digest, …   these posts are stored here already; nothing was stored

  Repeated? Its digests are seen; a chunk without any is stored again, as its producer was told 503.
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
if not control[4] and ARGV[11] ~= activation then
  return { 'inactive', now, activation }
end
-- A key is free again a day after its first use, but the digests of that use may be younger.
local DAY_S = 86400
local function usedAt(i)
  return #ARGV[i] > 12 and string.sub(ARGV[i], 13, 16) or struct.pack('>I4', tonumber(time[1]))
end
local function isSeen(key, i)
  local stored = redis.call('HGET', key, string.sub(ARGV[i], 1, 12))
  if not stored or #stored < 4 then
    -- An older relay noted no time.
    return stored ~= false
  end
  return struct.unpack('>I4', usedAt(i)) - struct.unpack('>I4', stored) < DAY_S
end
local today
if #ARGV > 11 then
  -- This server's own day, the same for all callers. It may have stepped back over midnight since.
  local day = math.floor(time[1] / DAY_S)
  today = base .. 'seen:' .. day
  local yesterday, tomorrow = base .. 'seen:' .. (day - 1), base .. 'seen:' .. (day + 1)
  local seen = {}
  for i = 12, #ARGV do
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
  -- BullMQ would keep 10,000 events per queue; nobody reads them.
  redis.call('HSETNX', meta, 'opts.maxLenEvents', 0)
end
-- BullMQ's counter alone may recur: a failover or an older snapshot takes it back. A settle or a dead
-- letter that names a chunk of the life before must never mean a later one.
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
if today then
  for i = 12, #ARGV do
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
  redis.call('PUBLISH', ARGV[10], 'wake ' .. ARGV[9] .. ' ' .. (control[2] or ''))
end
return { 'stored', now }
