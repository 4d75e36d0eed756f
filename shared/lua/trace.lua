--[[
  Records the fate of requests, in one list per producer and minute of acceptance. The lists of a workspace
  have a common limit in bytes; beyond it the producer with most bytes loses its oldest minutes.

  KEYS[1]  hash: "bytes" in total, per producer tag the last minute that was dropped for space, and
           bytes per list ("<tag>:<minute>")
  KEYS[2]  zset of producer tags by bytes
  ARGV[1]  prefix of the lists' keys and of each producer's zset of minutes (same slot)
  ARGV[2]  maximum bytes of all lists
  ARGV[3]  retention of a list after its last entry, s
  then per entry: tag, minute, entry

  Returns the bytes in total.

  Repeated?    The entry is listed twice, and readers show one more attempt. No decision depends on it.
  Late?        The entry contains its time.
  Reordered?   Entries are independent.
  Claim lost?  An entry records a past event and does not depend on claims.
]]
-- Memory per entry in addition to its bytes.
local OVERHEAD = 12

local function add(tag, bytes)
  redis.call('HINCRBY', KEYS[1], 'bytes', bytes)
  if tonumber(redis.call('ZINCRBY', KEYS[2], bytes, tag)) <= 0 then
    redis.call('ZREM', KEYS[2], tag)
  end
end
local function drop(tag, minute)
  local list = tag .. ':' .. minute
  redis.call('DEL', ARGV[1] .. list)
  redis.call('ZREM', ARGV[1] .. tag, minute)
  add(tag, -tonumber(redis.call('HGET', KEYS[1], list) or 0))
  redis.call('HDEL', KEYS[1], list)
end
local function oldest(tag, most)
  return redis.call('ZRANGE', ARGV[1] .. tag, 0, most - 1)
end

for i = 4, #ARGV, 3 do
  local tag, minute, entry = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local list = tag .. ':' .. minute
  redis.call('RPUSH', ARGV[1] .. list, entry)
  redis.call('EXPIRE', ARGV[1] .. list, ARGV[3])
  redis.call('ZADD', ARGV[1] .. tag, minute, minute)
  redis.call('EXPIRE', ARGV[1] .. tag, tonumber(ARGV[3]) * 2)
  redis.call('HINCRBY', KEYS[1], list, #entry + OVERHEAD)
  add(tag, #entry + OVERHEAD)
end
-- Subtract expired lists, a few at a time: of one producer at random, so that a silent one has its turn.
local any = redis.call('ZRANDMEMBER', KEYS[2])
for _, minute in ipairs(any and oldest(any, 4) or {}) do
  if redis.call('EXISTS', ARGV[1] .. any .. ':' .. minute) == 0 then
    drop(any, minute)
  end
end
while tonumber(redis.call('HGET', KEYS[1], 'bytes')) > tonumber(ARGV[2]) do
  local largest = redis.call('ZREVRANGE', KEYS[2], 0, 0)[1]
  if not largest then
    break
  end
  local minute = oldest(largest, 1)[1]
  if minute then
    drop(largest, minute)
    local dropped = tonumber(redis.call('HGET', KEYS[1], largest) or 0)
    redis.call('HSET', KEYS[1], largest, math.max(dropped, tonumber(minute)))
  else
    -- Its minutes have expired all together.
    add(largest, -tonumber(redis.call('ZSCORE', KEYS[2], largest)))
  end
end
-- These keys expire after twice the retention without an entry.
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[3]) * 2)
redis.call('EXPIRE', KEYS[2], tonumber(ARGV[3]) * 2)
return tonumber(redis.call('HGET', KEYS[1], 'bytes'))
