--[[
  Stores one chunk as a BullMQ job of its partition. Wrapped around BullMQ's own addStandardJob
  (defined above this text as `addStandardJob`), so that deadline, closing, idempotency and
  accounting are one atomic step with the add.

  KEYS[1..9]  BullMQ's keys of addStandardJob
  KEYS[10]    control hash of the partition
  KEYS[11]    digests of keyed posts stored today
  KEYS[12]    digests of keyed posts stored yesterday
  ARGV[1..3]  BullMQ's arguments of addStandardJob
  ARGV[4]     refuse after this Redis time, ms: a command that a hung server executes late must not
              slip in behind newer data
  ARGV[5]     the chunk
  ARGV[6..9]  its bytes, users, events, devices (elements as posted)
  ARGV[10]    the partition's tag
  ARGV[11]    pub/sub channel for wake-ups
  ARGV[12]    prefix of the jobs' keys
  ARGV[13..]  digests of the keyed posts in the chunk: 12 bytes and, behind them, when the post's key
              was first used (4 bytes, s since 1970, Redis' time). Without these the key is used now

  Returns {outcome, Redis time in ms, …}:
    stored            the chunk waits
    late              the deadline had passed; nothing was stored
    closed            the partition's generation takes no more elements; nothing was stored
    seen, digest, …   these posts are stored here already; nothing was stored
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[4]) then
  return { 'late', now }
end
local control = redis.call('HMGET', KEYS[10], 'closed', 'owner', 'watch')
if control[1] then
  return { 'closed', now }
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
local seen = {}
for i = 13, #ARGV do
  if isSeen(KEYS[11], i) or isSeen(KEYS[12], i) then
    seen[#seen + 1] = ARGV[i]
  end
end
if #seen > 0 then
  return { 'seen', now, unpack(seen) }
end

local waiting = redis.call('LLEN', KEYS[1])
if waiting == 0 then
  -- BullMQ would keep 10,000 events per queue; nobody reads them.
  redis.call('HSETNX', KEYS[3], 'opts.maxLenEvents', 0)
end
local id = addStandardJob()
redis.call('HSET', ARGV[12] .. id, 'chunk', ARGV[5],
  'counts', table.concat({ ARGV[6], ARGV[7], ARGV[8], ARGV[9] }, ','))
redis.call('HINCRBY', KEYS[10], 'bytes', ARGV[6])
if ARGV[7] ~= '0' then redis.call('HINCRBY', KEYS[10], 'user', ARGV[7]) end
if ARGV[8] ~= '0' then redis.call('HINCRBY', KEYS[10], 'event', ARGV[8]) end
if ARGV[9] ~= '0' then redis.call('HINCRBY', KEYS[10], 'device', ARGV[9]) end
for i = 13, #ARGV do
  redis.call('HSET', KEYS[11], string.sub(ARGV[i], 1, 12), usedAt(i))
end
if #ARGV >= 13 then
  redis.call('EXPIRE', KEYS[11], 172800)
end
if control[3] then
  redis.call('HDEL', KEYS[10], 'watch')
end
if waiting == 0 or control[3] then
  redis.call('PUBLISH', ARGV[11], 'wake ' .. ARGV[10] .. ' ' .. (control[2] or ''))
end
return { 'stored', now }
