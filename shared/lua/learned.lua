--[[
  Changes one record of what answers taught about a workspace, if it is still the one the caller saw
  (compare and set, by its text).

  KEYS[1]  hash of record to JSON
  ARGV[1]  name of the record
  ARGV[2]  its text as the caller saw it, '' for none
  ARGV[3]  its new text
  ARGV[4]  pub/sub channel for wake-ups
  ARGV[5]  app id

  Returns {1 when changed else 0, the text now}.

  Repeated? The text is no longer the one seen.
  Late? The same.
  Reordered? One of the two sees another text, and its caller applies its lesson to that.
  Claim lost? No claim is involved.
]]
local text = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if text ~= ARGV[2] then
  return { 0, text }
end
-- First a write that needs no room: a full Redis refuses a script whose first write might need some.
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], 'learned ' .. ARGV[5])
return { 1, ARGV[3] }
