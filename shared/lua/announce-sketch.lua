--[[
  Announces a worker's sketch, which may let customers pass uncounted until the score
  (customer-policy.lua).

  KEYS[1]  sorted set of sketches: member "units:id", score = end of use, Redis ms
  ARGV[1]  member
  ARGV[2]  score
  ARGV[3]  sketches up to this score are removed
  ARGV[4]  retention of the set, ms

  Returns nothing.

  Repeated? Writes the same entry again.
  Late? Scores only grow.
  Reordered? The same.
  Claim lost? No claim is involved.
]]
-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0
