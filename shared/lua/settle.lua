--[[
  Commits delivered and dead-lettered elements of a partition: removes finished chunks and marks the
  finished elements of the others.

  KEYS[1]  wait list
  KEYS[2]  control hash
  ARGV[1]  the caller's claim; nothing changes unless it is the owner's
  ARGV[2]  prefix of the jobs' keys
  ARGV[3]  how long MoEngage may still process an attempt with elements of this partition, ms; 0 for none
  ARGV[4]  id of this settle
  ARGV[5]  id of the settle that the caller knows as the last, if it made that under an earlier claim; '-' else
  ARGV[6]  number of finished chunks n
  ARGV[7 .. 6+n]  their ids
  then per partly finished chunk: id, bitmap of finished elements, its remaining counts
  "bytes,users,events,devices"

  Returns {'settled', chunks waiting}, {'fenced', owner}, or {'forgotten'}: Redis lost a settle since. What
  that settled is sent again, and newer elements of the same customers after it.

  Repeated? Finished chunks are gone, and a bitmap that adds nothing changes nothing.
  Late? The bitmaps of one claim only gain bits, so an older one adds nothing.
  Reordered? The same.
  Claim lost? Fenced, as no claim is ever made twice.
]]
local owner = redis.call('HGET', KEYS[2], 'owner')
if owner ~= ARGV[1] then
  return { 'fenced', owner or '' }
end
local last = redis.call('HGET', KEYS[2], 'settle') or ''
if ARGV[5] ~= '-' and last ~= ARGV[5] and last ~= ARGV[4] then
  return { 'forgotten' }
end
-- Whether `new` marks an element that `old` does not.
local function adds(old, new)
  for i = 1, #new do
    local before = string.byte(old, i) or 0
    if bit.bor(before, string.byte(new, i)) ~= before then
      return true
    end
  end
  return false
end
-- All reads precede the first write: while a cluster migrates this slot, access to a migrated job is
-- an error, which must not leave this script half done.
local finished = tonumber(ARGV[6])
local before = {}
local actions = 0
for i = 7, 6 + finished do
  local job = redis.call('HMGET', ARGV[2] .. ARGV[i], 'counts', 'actions')
  before[i] = job[1]
  actions = actions + (tonumber(job[2]) or 0)
end
for i = 7 + finished, #ARGV, 3 do
  local job = redis.call('HMGET', ARGV[2] .. ARGV[i], 'counts', 'done')
  before[i] = job[1] and adds(job[2] or '', ARGV[i + 1]) and job[1]
end

-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('HDEL', KEYS[2], '')
local gone = { 0, 0, 0, 0 }
local function account(counts, sign)
  local i = 1
  for count in string.gmatch(counts, '%d+') do
    gone[i] = gone[i] + sign * tonumber(count)
    i = i + 1
  end
end
for i = 7, 6 + finished do
  if before[i] then
    account(before[i], 1)
  end
  redis.call('LREM', KEYS[1], -1, ARGV[i])
  redis.call('DEL', ARGV[2] .. ARGV[i])
end
for i = 7 + finished, #ARGV, 3 do
  if before[i] then
    account(before[i], 1)
    account(ARGV[i + 2], -1)
    redis.call('HSET', ARGV[2] .. ARGV[i], 'done', ARGV[i + 1], 'counts', ARGV[i + 2])
  end
end
redis.call('HSET', KEYS[2], 'settle', ARGV[4])
local fields = { 'bytes', 'user', 'event', 'device' }
for i = 1, 4 do
  if gone[i] ~= 0 then
    redis.call('HINCRBY', KEYS[2], fields[i], -gone[i])
  end
end
if redis.call('LLEN', KEYS[1]) == 0 then
  -- Workers of before 0.2.0 do not count them.
  redis.call('HDEL', KEYS[2], 'actions')
elseif actions ~= 0 then
  redis.call('HINCRBY', KEYS[2], 'actions', -actions)
end
if ARGV[3] ~= '0' then
  -- A newer generation of partitions waits for this too, because it has the same customers.
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[2], 'late', time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3]))
end
return { 'settled', redis.call('LLEN', KEYS[1]) }
