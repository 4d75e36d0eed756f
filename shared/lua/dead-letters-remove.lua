--[[
  Deletes dead letters of one workspace, after a replay, a purge or their retention.

  KEYS     as in dead-letters-add.lua
  per letter in ARGV: id, number of its reason (1..), customer, request id, producer tag

  Returns {id, …} of the deleted letters.

  Repeated?    The second call removes nothing, subtracts nothing and returns no id.
  Late?        Removes the letter if it is stored: an id is never reused for another element (add-chunk.lua).
  Reordered?   Letters are independent.
  Claim lost?  Letters belong to the workspace and do not depend on claims.
]]
-- The same in dead-letters-add.lua.
local OVERHEAD = 500
local gone = {}
for i = 1, #ARGV, 5 do
  local id = ARGV[i]
  local score = redis.call('ZSCORE', KEYS[3], id)
  local bytes = redis.call('HSTRLEN', KEYS[1], id) + OVERHEAD
  if redis.call('HDEL', KEYS[1], id) == 1 then
    gone[#gone + 1] = id
    -- Letters of an older relay were not counted.
    if redis.call('HINCRBY', KEYS[#KEYS], ARGV[i + 4], -bytes) <= 0 then
      redis.call('HDEL', KEYS[#KEYS], ARGV[i + 4])
    end
  end
  if score then
    local order = string.format('%016.0f', tonumber(score))
    redis.call('ZREM', KEYS[3], id)
    redis.call('ZREM', KEYS[4], ARGV[i + 2] .. order .. id)
    redis.call('ZREM', KEYS[5], ARGV[i + 3] .. order .. id)
    redis.call('ZREM', KEYS[5 + tonumber(ARGV[i + 1])], id)
  end
end
-- Relays of two versions may have counted differently: without letters the count starts again.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[#KEYS])
end
return gone
