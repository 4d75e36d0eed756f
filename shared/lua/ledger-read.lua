--[[
  Returns the used part of the budgets, for metrics and the console. Read-only.

  KEYS[1]  ledger hash
  KEYS[2]  zset of request by expiry of its cost, ledger's ms
  KEYS[3]  hash of request to "users,events,devices,lane"

  Returns {users, events, devices} in use.

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
local used = redis.call('HMGET', KEYS[1], NAMES[1], NAMES[2], NAMES[3])
for b = 1, 3 do
  used[b] = tonumber(used[b] or 0)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  local b = 1
  for amount in string.gmatch(redis.call('HGET', KEYS[3], id) or '', '%d+') do
    if b <= 3 then
      used[b] = used[b] - tonumber(amount)
    end
    b = b + 1
  end
end
return used
