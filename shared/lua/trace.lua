--[[
  Records the fate of requests, in one list per minute of acceptance. The lists of a workspace have a
  common limit in bytes; beyond it the oldest minutes are dropped.

  KEYS[1]  hash: "bytes" in total, "dropped" (lists up to this minute were dropped for space), and the
           bytes per minute
  KEYS[2]  zset of minute by itself
  ARGV[1]  prefix of the lists' keys (same slot)
  ARGV[2]  maximum bytes of all lists
  ARGV[3]  retention of a list after its last entry, s
  then per entry: minute, entry

  Returns the bytes in total.

  Repeated?    The entry is listed twice, and readers show one more attempt. No decision depends on it.
  Late?        The entry contains its time.
  Reordered?   Entries are independent.
  Claim lost?  An entry records a past event and does not depend on claims.
]]
-- Memory per entry in addition to its bytes.
local OVERHEAD = 12

local total = tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0)
local function drop(minute)
  redis.call('DEL', ARGV[1] .. minute)
  redis.call('ZREM', KEYS[2], minute)
  total = total - tonumber(redis.call('HGET', KEYS[1], minute) or 0)
  redis.call('HDEL', KEYS[1], minute)
end
-- Subtract expired lists, a few at a time.
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
-- Both keys expire after twice the retention without an entry.
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[3]) * 2)
redis.call('EXPIRE', KEYS[2], tonumber(ARGV[3]) * 2)
return total
