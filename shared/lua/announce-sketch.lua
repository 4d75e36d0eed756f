--[[
  Announces a worker's sketch, which may let customers pass uncounted until the score
  (customer-policy.lua).

  KEYS[1]  sorted set of sketches: member "units:id", score = end of use, ledger's ms
  KEYS[2]  ledger hash (ledger-clock.lua)
  ARGV[1]  member
  ARGV[2]  how long it is used from now, ms
  ARGV[3]  how long a sketch is kept after that, and the set without a change, ms
  ARGV[4]  ledger's time as the caller estimates it, ms, or ''

  Returns the ledger's time, ms.

  Repeated? Writes the same entry again.
  Late? The sketch counts that much longer.
  Reordered? The same.
  Claim lost? No claim is involved.
]]
local now = ledgerNow(KEYS[2], ARGV[4])
local till = now + tonumber(ARGV[2])
-- A full Redis refuses a script whose first write may allocate memory, so delete first.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', till - tonumber(ARGV[3]))
redis.call('ZADD', KEYS[1], 'GT', till, ARGV[1])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) + tonumber(ARGV[3]))
return now
