--[[
  Forgets dead letters of one workspace: replayed, purged or expired ones.

  KEYS     as in bury.lua
  per letter in ARGV: id, number of its reason (1..), customer, request id

  Returns {id, …} of those that were kept until now.

  Repeated?    The second call removes nothing and returns no id.
  Late?        Removes the letter if it is kept: an id never means another element, see add-chunk.lua.
  Reordered?   Letters are independent.
  Claim lost?  Letters are the workspace's, whoever owns a partition.
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
