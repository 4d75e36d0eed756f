--[[
  Announces a worker's sketch: until then it may let customers pass uncounted (customer-policy.lua).

  KEYS[1]  sorted set of sketches: member "units:id", score = until when it may be in use, Redis ms
  ARGV[1]  member
  ARGV[2]  score
  ARGV[3]  sketches up to this score are removed
  ARGV[4]  how long the set is kept, ms

  Returns nothing.

  Repeated? The same entry once more.
  Late? Scores only grow.
  Reordered? The same.
  Claim lost? No claim is involved.
]]
-- First a write that needs no room: a full Redis refuses a script whose first write might need some.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0
