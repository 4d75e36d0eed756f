--[[
  Counts the units sent for high-volume customers, so that no window of MoEngage's per-user policy is
  exceeded at arrival, where MoEngage measures it. Units count from their reservation until one window
  after the latest moment at which they can arrive; an answer moves that moment to now.

  A customer's hash divides each window into 16 buckets: field "windowMs:bucket", value units. A bucket
  counts until one window after its end, so never too short.

  Customers that no worker counts exactly are bounded by the units that each worker's sketch lets pass
  uncounted. Every sketch in use within a window counts in full against every customer.

  A refused customer is held: operators see it until its wait ends, or until no worker asks for it any
  more, because nothing of it waits: it was erased, for example.

  KEYS[1]  sorted set of sketches: member "units:id", score = end of use, ms. The customers' hashes lie
           in its slot
  KEYS[2]  sorted set of held customers: member = suffix of its key, score = shown until, ms
  KEYS[3]  hash of the same: "since until", the first of the refusals that followed one another and the
           end of the wait, ms
  KEYS[4]  ledger hash: all moments are of its clock (ledger-clock.lua), so that no unit expires early after a
           step of Redis' clock
  ARGV[1]  reserve, answer, refund or again
  ARGV[2]  latest arrival of an attempt that begins now, ms from now
  ARGV[3]  prefix of the customers' keys
  ARGV[4]  within this workers ask again for a held customer, ms
  ARGV[5]  ledger's time as the caller estimates it, ms, or ''
  ARGV[6]  number of windows m, shortest first
  ARGV[7 .. 6+2m]  windowMs, limit
  then per customer: suffix of its key, units, and for reserve 1 if they are one indivisible element, for answer and refund
  the moment to which they were reserved

  reserve  enters all, or none if one of them does not fit:
           {'granted', now, moment} or {'refused', now, index of customer, units that fit, ms to wait, …}
  answer   {'answered', now}; refund {'refunded', now}
  again    enters all regardless of the limits, because Redis may have lost them. {'granted', now, moment}

  Repeated? The units count twice, so the customer waits longer. Callers never repeat a refund. A repeated
  refusal holds the same customers since the same moment.
  Late? A reservation counts although its attempt is over; an answer moves units that still count. A
  refusal is of the moment at which the script runs, never of an earlier one.
  Reordered? Sums do not depend on the order. The last refusal tells how long a customer is held.
  Claim lost? No claim is involved: the counts decide, whoever asks.
]]
local BUCKETS = 16
-- Beyond this those that are shown shortest are left out.
local MAX_HELD = 1000
-- Refusals follow one another if the next comes within this after a customer was shown, ms.
local STILL_HELD = 120000
-- Redis expires keys by its own clock, which may step: they are kept this much longer, ms.
local STEPS = 3600000
local now = ledgerNow(KEYS[4], ARGV[5])
local step = ARGV[1]
local late = now + tonumber(ARGV[2])
local windows = {}
for i = 1, tonumber(ARGV[6]) do
  local length = tonumber(ARGV[5 + 2 * i])
  windows[i] = { length = length, limit = tonumber(ARGV[6 + 2 * i]), bucket = math.ceil(length / BUCKETS), unseen = 0 }
end
local customers = {}
for i = 7 + 2 * #windows, #ARGV, 3 do
  local name = ARGV[i]
  customers[#customers + 1] = {
    name = name, key = ARGV[3] .. name, units = tonumber(ARGV[i + 1]), detail = tonumber(ARGV[i + 2]),
  }
end
local function field(window, moment)
  return window.length .. ':' .. math.floor(moment / window.bucket)
end

local function add(key, moment, units)
  for _, window in ipairs(windows) do
    redis.call('HINCRBY', key, field(window, moment), units)
  end
  local longest = windows[#windows]
  redis.call('PEXPIRE', key, longest.length + 2 * longest.bucket + tonumber(ARGV[2]) + STEPS)
end

-- Never subtracts below 0: Redis may have lost the reservation.
local function take(key, moment, units)
  for _, window in ipairs(windows) do
    local name = field(window, moment)
    local there = tonumber(redis.call('HGET', key, name) or 0)
    if there <= units then
      redis.call('HDEL', key, name)
    else
      redis.call('HINCRBY', key, name, -units)
    end
  end
end

local function forget(held)
  if #held > 0 then
    redis.call('ZREM', KEYS[2], unpack(held))
    redis.call('HDEL', KEYS[3], unpack(held))
  end
end

-- `waits`: ms by customer.
local function hold(waits)
  forget(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - STILL_HELD))
  for name, wait in pairs(waits) do
    local since = string.match(redis.call('HGET', KEYS[3], name) or '', '^%d+') or now
    redis.call('HSET', KEYS[3], name, since .. ' ' .. now + wait)
    redis.call('ZADD', KEYS[2], now + math.min(wait, tonumber(ARGV[4])), name)
  end
  forget(redis.call('ZRANGE', KEYS[2], 0, -MAX_HELD - 1))
  local longest = windows[#windows]
  for i = 2, 3 do
    redis.call('PEXPIRE', KEYS[i], longest.length + 2 * longest.bucket + tonumber(ARGV[2]) + STILL_HELD + STEPS)
  end
end

-- A full Redis refuses a script whose first write may allocate memory, so delete first.
for _, customer in ipairs(customers) do
  redis.call('HDEL', customer.key, '')
end

if step == 'answer' or step == 'refund' then
  for _, customer in ipairs(customers) do
    if step == 'refund' or now < customer.detail then
      take(customer.key, customer.detail, customer.units)
    end
    if step == 'answer' and now < customer.detail then
      add(customer.key, now, customer.units)
    end
  end
  return { step == 'answer' and 'answered' or 'refunded', now }
end

if step == 'reserve' then
  local longest = windows[#windows].length
  local sketches = redis.call('ZRANGEBYSCORE', KEYS[1], now - longest, '+inf', 'WITHSCORES')
  for i = 1, #sketches, 2 do
    local units = tonumber(string.match(sketches[i], '^%d+'))
    for _, window in ipairs(windows) do
      if tonumber(sketches[i + 1]) > now - window.length then
        window.unseen = window.unseen + units
      end
    end
  end
  local refused, waits = { 'refused', now }, {}
  for i, customer in ipairs(customers) do
    local fields = redis.call('HGETALL', customer.key)
    local used, oldest, stale = {}, {}, {}
    for f = 1, #fields, 2 do
      local length, bucket = string.match(fields[f], '^(%d+):(%d+)$')
      length, bucket = tonumber(length), tonumber(bucket)
      local size = length and math.ceil(length / BUCKETS)
      if not length or (bucket + 1) * size <= now - length then
        stale[#stale + 1] = fields[f]
      else
        used[length] = (used[length] or 0) + tonumber(fields[f + 1])
        oldest[length] = math.min(oldest[length] or bucket, bucket)
      end
    end
    if #stale > 0 then
      redis.call('HDEL', customer.key, unpack(stale))
    end
    local free, wait = math.huge, 0
    for _, window in ipairs(windows) do
      local left = window.limit - window.unseen - (used[window.length] or 0)
      -- An element that costs more than a whole limit is sent alone; otherwise it would wait permanently.
      local alone = customer.detail == 1 and not used[window.length]
      if customer.units > left and not alone then
        local since = oldest[window.length] and (oldest[window.length] + 1) * window.bucket or now - window.length + window.bucket
        wait = math.max(wait, since + window.length - now)
      end
      free = math.min(free, math.max(0, left))
    end
    if wait > 0 then
      refused[#refused + 1] = i
      refused[#refused + 1] = free
      refused[#refused + 1] = wait
      waits[customer.name] = wait
    end
  end
  if #refused > 2 then
    hold(waits)
    return refused
  end
end
for _, customer in ipairs(customers) do
  add(customer.key, late, customer.units)
end
return { 'granted', now, late }
