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
local gone = { 0, 0, 0, 0 }
local function account(before, after)
  local i = 1
  for count in string.gmatch(before, '%d+') do
    gone[i] = gone[i] + tonumber(count)
    i = i + 1
  end
  i = 1
  for count in string.gmatch(after, '%d+') do
    gone[i] = gone[i] - tonumber(count)
    i = i + 1
  end
end
local finished = tonumber(ARGV[3])
for i = 4, 3 + finished do
  local job = ARGV[2] .. ARGV[i]
  local counts = redis.call('HGET', job, 'counts')
  if counts then
    account(counts, '')
  end
  redis.call('LREM', KEYS[1], -1, ARGV[i])
  redis.call('DEL', job)
end
for i = 4 + finished, #ARGV, 3 do
  local job = ARGV[2] .. ARGV[i]
  local counts = redis.call('HGET', job, 'counts')
  if counts then
    account(counts, ARGV[i + 2])
    redis.call('HSET', job, 'done', ARGV[i + 1], 'counts', ARGV[i + 2])
  end
end
local fields = { 'bytes', 'user', 'event', 'device' }
for i = 1, 4 do
  if gone[i] ~= 0 then
    redis.call('HINCRBY', KEYS[2], fields[i], -gone[i])
  end
end
return { 'settled', redis.call('LLEN', KEYS[1]) }
