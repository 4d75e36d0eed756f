--[[
  Reads the customers that have to wait now (customer-policy.lua).

  KEYS[1]  sorted set of held customers, score = shown until, ms
  KEYS[2]  hash of the same: "since until", ms
  KEYS[3]  ledger hash: all moments are of its clock (ledger-clock.lua)
  ARGV[1]  maximum number of customers returned

  Returns {number held, then customer, since and until of those held longest}, by Redis' clock, ms.

  Repeated? It only reads.
  Late? It tells the state of the moment at which it runs.
  Reordered? The same.
  Claim lost? No claim is involved.
]]
local time = redis.call('TIME')
local here = time[1] * 1000 + math.floor(time[2] / 1000)
-- Read without setting it.
local kept = redis.call('HMGET', KEYS[3], 'clock', 'redis')
local now = kept[1] and kept[1] + math.max(0, here - kept[2]) or here
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
local held = {}
for i, name in ipairs(found) do
  local since, ends = string.match(redis.call('HGET', KEYS[2], name) or '', '^(%d+) (%d+)$')
  held[i] = { name = name, since = tonumber(since or now), ends = tonumber(ends or now) }
end
table.sort(held, function(a, b)
  return a.since < b.since or (a.since == b.since and a.name < b.name)
end)
local reply = { #held }
for i = 1, math.min(#held, tonumber(ARGV[1])) do
  reply[#reply + 1] = held[i].name
  reply[#reply + 1] = held[i].since - now + here
  reply[#reply + 1] = held[i].ends - now + here
end
return reply
