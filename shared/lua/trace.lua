--[[
  Notes what became of requests, in one list per minute of their acceptance. All lists of a
  workspace together hold at most so many bytes: then the oldest minutes go.

  KEYS[1]  hash: "bytes" in all, "dropped" (lists up to this minute were dropped for room), and per
           minute its bytes
  KEYS[2]  zset of minute by itself
  ARGV[1]  prefix of the lists' keys (same slot)
  ARGV[2]  most bytes of all lists
  ARGV[3]  how long a list is kept after its last entry, s
  then per entry: minute, entry

  Returns bytes in all.

  Repeated?    The entry is listed twice, which readers show as one more attempt. Nothing is decided by it.
  Late?        The entry carries its own time.
  Reordered?   Entries are independent.
  Claim lost?  An entry tells what happened, whoever owns the partition now.
]]
-- What an entry costs beyond its own bytes.
local OVERHEAD = 12

local total = tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0)
local function drop(minute)
  redis.call('DEL', ARGV[1] .. minute)
  redis.call('ZREM', KEYS[2], minute)
  total = total - tonumber(redis.call('HGET', KEYS[1], minute) or 0)
  redis.call('HDEL', KEYS[1], minute)
end
-- Lists that have run out are accounted for here, a few at a time.
for _, minute in ipairs(redis.call('ZRANGE', KEYS[2], 0, 3)) do
  if redis.call('EXISTS', ARGV[1] .. minute) == 0 then
    drop(minute)
  end
end
for i = 4, #ARGV, 2 do
  local minute = ARGV[i]
  local bytes = #ARGV[i + 1] + OVERHEAD
  redis.call('RPUSH', ARGV[1] .. minute, ARGV[i + 1])
  redis.call('EXPIRE', ARGV[1] .. minute, ARGV[3])
  redis.call('ZADD', KEYS[2], minute, minute)
  redis.call('HINCRBY', KEYS[1], minute, bytes)
  total = total + bytes
end
while total > tonumber(ARGV[2]) do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then
    break
  end
  drop(oldest)
  local dropped = tonumber(redis.call('HGET', KEYS[1], 'dropped') or 0)
  redis.call('HSET', KEYS[1], 'dropped', math.max(dropped, tonumber(oldest)))
end
total = math.max(total, 0)
redis.call('HSET', KEYS[1], 'bytes', total)
-- All of it is forgotten once nothing has been noted for twice as long.
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[3]) * 2)
redis.call('EXPIRE', KEYS[2], tonumber(ARGV[3]) * 2)
return total
