--[[
  Records when a request's answer was read, or refunds a reservation whose request was not sent.

  KEYS[1]  ledger hash
  KEYS[2]  zset of request by expiry of its cost, ledger's ms
  KEYS[3]  hash of request to "users,events,devices,lane"
  KEYS[4]  zset of requests without an answer
  ARGV[1]  request id
  ARGV[2]  window, ms; or -1: refund
  ARGV[3]  ledger's time as the caller estimates it, ms, or ''

  Returns the ledger's time in ms. Does nothing for an unknown request.

  Repeated?    The cost counts from the later call: too long rather than too short. A second refund finds
               nothing.
  Late?        The cost counts a window from the execution: too long rather than too short.
  Reordered?   A request is answered or refunded, never both, and its id is used once.
  Claim lost?  The ledger knows no claims: the cost counts, whoever owns the partition now.
]]
local NAMES = { 'users', 'events', 'devices' }
local now = ledgerNow(KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[4], ARGV[1])
local cost = redis.call('HGET', KEYS[3], ARGV[1])
if not cost then
  return now
end
if ARGV[2] ~= '-1' then
  -- 3 ms of margin: times are truncated to whole ms, and callers' estimates differ by one.
  redis.call('ZADD', KEYS[2], 'XX', now + 3 + tonumber(ARGV[2]), ARGV[1])
  return now
end
local i = 1
local amounts = {}
for field in string.gmatch(cost, '[^,]+') do
  amounts[i] = field
  i = i + 1
end
for b = 1, 3 do
  if amounts[b] ~= '0' then
    redis.call('HINCRBY', KEYS[1], NAMES[b], -tonumber(amounts[b]))
    redis.call('HINCRBY', KEYS[1], 'granted_' .. NAMES[b], -tonumber(amounts[b]))
    if amounts[4] == 'backfill' then
      redis.call('HINCRBY', KEYS[1], 'backfill_' .. NAMES[b], -tonumber(amounts[b]))
    end
  end
end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return now
