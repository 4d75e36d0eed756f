--[[
  Releases a partition, so that another worker can claim it immediately.

  KEYS[1]  control hash
  ARGV[1]  the caller's claim
  ARGV[2]  pub/sub channel for wake-ups
  ARGV[3]  the partition's tag

  Returns 1, or 0 when the caller was not the owner.

  Repeated? Changes nothing: the owner is another claim, or there is none.
  Late? The same.
  Reordered? The same.
  Claim lost? The same.
]]
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[1], 'owner')
redis.call('PUBLISH', ARGV[2], 'wake ' .. ARGV[3] .. ' ')
return 1
