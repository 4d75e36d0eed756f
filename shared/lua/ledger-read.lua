--[[
  Returns what the ledger counts, for metrics, the console and the rate-limit gauge. Read-only.

  KEYS[1]  ledger hash
  KEYS[2]  zset of request by expiry of its cost, ledger's ms
  KEYS[3]  hash of request to "users,events,devices,lane"
  KEYS[4]  zset of requests without an answer by their answer deadline, ledger's ms

  Returns {users, events, devices} in use, then granted since the ledger began less refunds, then of
  requests without an answer.

  Repeated?    Changes nothing.
  Late?        Changes nothing.
  Reordered?   Changes nothing.
  Claim lost?  Changes nothing.
]]
local NAMES = { 'users', 'events', 'devices' }
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The ledger's clock (ledger-clock.lua), without setting it.
local kept = redis.call('HMGET', KEYS[1], 'clock', 'redis')
if kept[1] then
  now = kept[1] + math.max(0, now - kept[2])
end
local use = redis.call('HMGET', KEYS[1], NAMES[1], NAMES[2], NAMES[3],
  'granted_users', 'granted_events', 'granted_devices')
for i = 1, 9 do
  use[i] = tonumber(use[i] or 0)
end
-- Adds the costs of requests to the three counts after `offset`.
local function add(ids, offset, sign)
  for _, id in ipairs(ids) do
    local b = 1
    for amount in string.gmatch(redis.call('HGET', KEYS[3], id) or '', '%d+') do
      if b <= 3 then
        use[offset + b] = use[offset + b] + sign * tonumber(amount)
      end
      b = b + 1
    end
  end
end
add(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now), 0, -1)
add(redis.call('ZRANGEBYSCORE', KEYS[4], now, '+inf'), 6, 1)
return use
