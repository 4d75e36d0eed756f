--[[
  Deletes dead letters of one workspace, after a replay, a purge or their retention.

  KEYS     as in bury.lua
  per letter in ARGV: id, number of its reason (1..), customer, request id

  Returns {id, …} of the deleted letters.

  Repeated?    The second call removes nothing and returns no id.
  Late?        Removes the letter if it is stored: an id is never reused for another element (add-chunk.lua).
  Reordered?   Letters are independent.
  Claim lost?  Letters belong to the workspace and do not depend on claims.
]]
local gone = {}
for i = 1, #ARGV, 4 do
  local id = ARGV[i]
  local score = redis.call('ZSCORE', KEYS[3], id)
  if redis.call('HDEL', KEYS[1], id) == 1 then
    gone[#gone + 1] = id
  end
  if score then
    local order = string.format('%016.0f', tonumber(score))
    redis.call('ZREM', KEYS[3], id)
    redis.call('ZREM', KEYS[4], ARGV[i + 2] .. order .. id)
    redis.call('ZREM', KEYS[5], ARGV[i + 3] .. order .. id)
    redis.call('ZREM', KEYS[5 + tonumber(ARGV[i + 1])], id)
  end
end
return gone
