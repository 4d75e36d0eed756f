--[[
  Changes one record of a workspace's learned limits, unless it has changed since the caller read it
  (compare and set by its text).

  KEYS[1]  hash of record to JSON
  ARGV[1]  name of the record
  ARGV[2]  its text as the caller read it, '' for none
  ARGV[3]  its new text
  ARGV[4]  pub/sub channel for wake-ups
  ARGV[5]  app id

  Returns {1 when changed else 0, current text}.

  Repeated? Refused: the text has changed.
  Late? The same.
  Reordered? One of the two is refused, and its caller applies its change to the current text.
  Claim lost? No claim is involved.
]]
local text = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if text ~= ARGV[2] then
  return { 0, text }
end
-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], 'learned ' .. ARGV[5])
return { 1, ARGV[3] }
