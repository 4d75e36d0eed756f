--[[
  Stores dead letters of one workspace. A letter that is already stored does not change.

  Each letter gets an order number that is larger than all earlier ones and at least 1024 times its
  timestamp, so that one number serves as order, cursor and time.

  KEYS[1]  letters: hash of id to JSON
  KEYS[2]  last order number
  KEYS[3]  zset of id by order
  KEYS[4]  by customer: zset of "<16 hex digits><order, 16 digits><id>", compared as text
  KEYS[5]  by request: zset of "<request id><order, 16 digits><id>", compared as text
  KEYS[6..]  per reason: zset of id by order
  KEYS[last] bytes of the letters: hash of producer tag to bytes
  per letter in ARGV: id, number of its reason (1..), timestamp (ms since 1970), customer, request id,
                      producer tag, JSON

  Returns the number of new letters.

  Repeated?    A stored letter does not change, keeps its order number and is counted once.
  Late?        A letter that was removed meanwhile is stored again: seen twice rather than lost.
  Reordered?   Letters are independent, and an id is never reused for another element (add-chunk.lua).
  Claim lost?  The refusal does not depend on the owner of the partition. A new owner that sends the
               element again and stores its letter changes nothing.
]]
-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('HDEL', KEYS[1], '')
-- Memory of a letter in addition to its JSON: its index entries. The same in dead-letters-remove.lua.
local OVERHEAD = 500
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
local new = 0
for i = 1, #ARGV, 7 do
  local id = ARGV[i]
  if redis.call('HSETNX', KEYS[1], id, ARGV[i + 6]) == 1 then
    new = new + 1
    redis.call('HINCRBY', KEYS[#KEYS], ARGV[i + 5], #ARGV[i + 6] + OVERHEAD)
    last = math.max(last + 1, tonumber(ARGV[i + 2]) * 1024)
    local order = string.format('%016.0f', last)
    redis.call('ZADD', KEYS[3], order, id)
    redis.call('ZADD', KEYS[4], 0, ARGV[i + 3] .. order .. id)
    redis.call('ZADD', KEYS[5], 0, ARGV[i + 4] .. order .. id)
    redis.call('ZADD', KEYS[5 + tonumber(ARGV[i + 1])], order, id)
  end
end
if new > 0 then
  redis.call('SET', KEYS[2], string.format('%.0f', last))
end
return new
