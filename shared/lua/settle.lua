--[[
  Takes delivered (or dead-lettered) elements out of a partition: removes finished chunks and marks
  the finished elements of the others. Repeating it changes nothing.

  KEYS[1]  wait list
  KEYS[2]  control hash
  ARGV[1]  owner's claim; anybody else changes nothing
  ARGV[2]  prefix of the jobs' keys
  ARGV[3]  number of finished chunks n
  ARGV[4 .. 3+n]  their ids
  then per partly finished chunk: id, bitmap of finished elements, its remaining counts
  "bytes,users,events,devices"

  Returns {'settled', chunks waiting} or {'fenced', owner}.
]]
local owner = redis.call('HGET', KEYS[2], 'owner')
if owner ~= ARGV[1] then
  return { 'fenced', owner or '' }
end
-- All that is read is read before anything is changed: while a cluster moves this slot, touching a
-- job that has left already is an error, and must not leave half of this behind.
local finished = tonumber(ARGV[3])
local before = {}
for i = 4, 3 + finished do
  before[i] = redis.call('HGET', ARGV[2] .. ARGV[i], 'counts')
end
for i = 4 + finished, #ARGV, 3 do
  before[i] = redis.call('HGET', ARGV[2] .. ARGV[i], 'counts')
end

-- First a write that needs no room: a full Redis refuses a script whose first write might need some.
redis.call('HDEL', KEYS[2], '')
local gone = { 0, 0, 0, 0 }
local function account(counts, sign)
  local i = 1
  for count in string.gmatch(counts, '%d+') do
    gone[i] = gone[i] + sign * tonumber(count)
    i = i + 1
  end
end
for i = 4, 3 + finished do
  if before[i] then
    account(before[i], 1)
  end
  redis.call('LREM', KEYS[1], -1, ARGV[i])
  redis.call('DEL', ARGV[2] .. ARGV[i])
end
for i = 4 + finished, #ARGV, 3 do
  if before[i] then
    account(before[i], 1)
    account(ARGV[i + 2], -1)
    redis.call('HSET', ARGV[2] .. ARGV[i], 'done', ARGV[i + 1], 'counts', ARGV[i + 2])
  end
end
local fields = { 'bytes', 'user', 'event', 'device' }
for i = 1, 4 do
  if gone[i] ~= 0 then
    redis.call('HINCRBY', KEYS[2], fields[i], -gone[i])
  end
end
return { 'settled', redis.call('LLEN', KEYS[1]) }
