--[[
  The budget ledger, a sliding-window rate limiter with reservations: reserves budget for a request, or
  returns how long to wait.

  The ledger is an exact log, not a token bucket. A cost counts from its reservation until one window
  after its answer was read (answer.lua); without an answer until one window after the last moment it
  could still count at MoEngage. Its arrival lies in between, so no window at MoEngage exceeds a limit.

  KEYS[1]  gate hash: version, record
  KEYS[2]  ledger hash: incarnation (the run of Redis); its clock; users, events, devices in use; backfill_… of them by
           backfill; granted_… since the ledger began, less refunds; pace_… when backfill may resume,
           ledger's ms
  KEYS[3]  zset of request by expiry of its cost, ledger's ms
  KEYS[4]  hash of request to "users,events,devices,lane"
  KEYS[5]  hash of waiter to "lane,age,users,events,devices,until"
  KEYS[6]  zset of requests without an answer by their answer deadline, ledger's ms
  ARGV[1]  request id; repeating a granted one changes nothing
  ARGV[2]  lane
  ARGV[3..5]   cost: users, events, devices
  ARGV[6..8]   current limits
  ARGV[9]  window, ms
  ARGV[10] how long the cost counts without an answer, before the window, ms
  ARGV[11] gate version in the caller's view
  ARGV[12] run of Redis in the caller's view ('' for any)
  ARGV[13] acceptance time of the oldest element, ms: the longest wait is served first
  ARGV[14] id of the waiter, '' to not queue
  ARGV[15..17] minimum that the caller accepts (half a body, or its whole backlog)
  ARGV[18] share of each limit guaranteed to backfill, 0..1
  ARGV[19] share of each limit that backfill always leaves to realtime, 0..1
  ARGV[20] maximum requests without an answer, 0 for unlimited
  ARGV[21] ledger's time as the caller estimates it, ms, or ''

  Returns {outcome, ledger's time in ms, …}:
    granted
    later                                  too many requests are in flight
    gate, version, record                  the gate has changed; evaluate it first
    recover, incarnation                   the ledger belongs to another run of Redis
    wait, ms, free users, events, devices, ms for all
                                           time until the minimum is available, the units available now,
                                           and time until the full cost is available. These are estimates:
                                           no grant relies on them, and callers use them for a second at most

  Repeated?    A granted id is granted again and counts once. After its expiry it would count a second
               time, so callers use a new id for every attempt.
  Late?        The cost counts from the execution, so the budget of a caller that gave up stays reserved
               until it expires. A caller's deadline runs from when it issued the command, so it ends earlier.
  Reordered?   Calls are independent. Only the waiter's entry is overwritten, for up to two seconds.
  Claim lost?  The ledger does not depend on claims: requests of a former owner count like all others.
]]
local NAMES = { 'users', 'events', 'devices' }
-- Maximum reservations that one call reads, both of the expired and of the next to expire, so that a
-- call never blocks Redis for long. Callers retry within a second.
local MAX_READ = 100
local now = ledgerNow(KEYS[2], ARGV[21])

local gate = redis.call('HMGET', KEYS[1], 'version', 'record')
if (gate[1] or '0') ~= ARGV[11] then
  return { 'gate', now, gate[1] or '0', gate[2] or '' }
end
local state = redis.call('HMGET', KEYS[2], 'incarnation', 'users', 'events', 'devices',
  'backfill_users', 'backfill_events', 'backfill_devices', 'pace_users', 'pace_events', 'pace_devices')
if ARGV[12] ~= '' and state[1] ~= ARGV[12] then
  return { 'recover', now, state[1] or '' }
end
if redis.call('HEXISTS', KEYS[4], ARGV[1]) == 1 then
  return { 'granted', now }
end
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', now)
if ARGV[20] ~= '0' and redis.call('ZCARD', KEYS[6]) >= tonumber(ARGV[20]) then
  return { 'later', now }
end
local used, backfill, pace = {}, {}, {}
for b = 1, 3 do
  used[b] = tonumber(state[1 + b] or 0)
  backfill[b] = tonumber(state[4 + b] or 0)
  pace[b] = tonumber(state[7 + b] or 0)
end

local function parse(text)
  local fields = {}
  for field in string.gmatch(text, '[^,]+') do
    fields[#fields + 1] = field
  end
  return fields
end

-- Purge expired reservations, oldest first. The remainder counts until the next call.
local expired = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, MAX_READ)
if #expired > 0 then
  for i, text in ipairs(redis.call('HMGET', KEYS[4], unpack(expired))) do
    local cost = parse(text or '0,0,0,realtime')
    for b = 1, 3 do
      used[b] = used[b] - tonumber(cost[b])
      if cost[4] == 'backfill' then
        backfill[b] = backfill[b] - tonumber(cost[b])
      end
    end
  end
  redis.call('HDEL', KEYS[4], unpack(expired))
  redis.call('ZREM', KEYS[3], unpack(expired))
  for b = 1, 3 do
    redis.call('HSET', KEYS[2], NAMES[b], used[b], 'backfill_' .. NAMES[b], backfill[b])
  end
end

-- The next reservations to expire, read at most once: {expiry, cost}.
local nextToExpire
local function nextExpiries()
  if not nextToExpire then
    nextToExpire = {}
    local entries = redis.call('ZRANGE', KEYS[3], 0, MAX_READ - 1, 'WITHSCORES')
    local ids = {}
    for i = 1, #entries, 2 do
      ids[#ids + 1] = entries[i]
    end
    local costs = #ids > 0 and redis.call('HMGET', KEYS[4], unpack(ids)) or {}
    for i, text in ipairs(costs) do
      nextToExpire[i] = { tonumber(entries[2 * i]), parse(text or '0,0,0,realtime') }
    end
  end
  return nextToExpire
end

-- Time at which `amount` of a budget will have expired, ledger's ms. It is exact for the reservations
-- read. Beyond them it assumes an even spread over the rest; no grant relies on that.
local function freedAt(b, amount)
  local read = nextExpiries()
  local left = amount
  for _, entry in ipairs(read) do
    left = left - tonumber(entry[2][b])
    if left <= 0 then
      return entry[1]
    end
  end
  local rest = redis.call('ZCARD', KEYS[3]) - #read
  local units = used[b] - (amount - left)
  if rest <= 0 or units <= 0 then
    return nil
  end
  local rank = #read + math.min(rest, math.ceil(rest * left / units)) - 1
  return tonumber(redis.call('ZRANGE', KEYS[3], rank, rank, 'WITHSCORES')[2])
end

-- The other waiters.
local age = tonumber(ARGV[13])
local owed = { 0, 0, 0 }
local backfillWaits = { false, false, false }
local waiters = redis.call('HGETALL', KEYS[5])
for i = 1, #waiters, 2 do
  local w = parse(waiters[i + 1])
  if tonumber(w[6]) < now then
    redis.call('HDEL', KEYS[5], waiters[i])
  elseif waiters[i] ~= ARGV[14] then
    local older = tonumber(w[2]) < age or (tonumber(w[2]) == age and waiters[i] < ARGV[14])
    local first = (w[1] == ARGV[2] and older) or (w[1] == 'realtime' and ARGV[2] == 'backfill')
    for b = 1, 3 do
      local need = tonumber(w[2 + b])
      if first then
        owed[b] = owed[b] + need
      end
      if w[1] == 'backfill' and need > 0 then
        backfillWaits[b] = true
      end
    end
  end
end

local window = tonumber(ARGV[9])
local free, waitMs, allMs = {}, 0, 0
local short = false
local wanted = { 0, 0, 0 }
for b = 1, 3 do
  local cost = tonumber(ARGV[2 + b])
  local limit = tonumber(ARGV[5 + b])
  local need = math.min(cost, tonumber(ARGV[14 + b]), limit)
  local kept = limit * tonumber(ARGV[18])
  local realtime = used[b] - backfill[b]
  local reserved = 0
  local paced = 0
  if ARGV[2] == 'realtime' then
    if backfillWaits[b] then
      reserved = math.max(0, kept - backfill[b])
    end
  elseif backfill[b] + cost > kept then
    reserved = math.max(limit * tonumber(ARGV[19]), realtime * 0.1)
    paced = math.max(0, pace[b] - now)
  end
  free[b] = math.floor(limit - reserved - used[b] - owed[b])
  if paced > 0 then
    free[b] = math.min(free[b], 0)
  end
  if ARGV[2] == 'backfill' then
    -- Realtime's headroom and the pace do not apply to the floor, which a smaller request can always get.
    local floor = math.min(kept - backfill[b], limit - used[b] - owed[b])
    free[b] = math.max(free[b], math.floor(floor))
  end
  -- An element that costs more than a reduced limit is granted when nothing else of its budget is in use.
  local dear = cost > limit - reserved and used[b] == 0 and owed[b] == 0 and paced == 0
  if cost > 0 and cost > free[b] and not dear then
    short = true
    wanted[b] = need
    waitMs = math.max(waitMs, paced)
    allMs = math.max(allMs, paced)
    if paced == 0 then
      local missing, missingAll = need - free[b], math.min(cost, limit) - free[b]
      local at = missing > 0 and (freedAt(b, missing) or now + 50) or now
      local allAt = math.max(now + 50, missingAll > 0 and freedAt(b, missingAll) or now)
      waitMs = math.max(waitMs, at - now)
      allMs = math.max(allMs, allAt - now)
    end
  end
  free[b] = math.max(0, free[b])
end

if short then
  if ARGV[14] ~= '' then
    redis.call('HSET', KEYS[5], ARGV[14], table.concat({ ARGV[2], ARGV[13], wanted[1], wanted[2], wanted[3],
      now + math.min(waitMs, 1000) + 1000 }, ','))
    redis.call('PEXPIRE', KEYS[5], 3600000)
  end
  return { 'wait', now, waitMs, free[1], free[2], free[3], allMs }
end

if ARGV[14] ~= '' then
  redis.call('HDEL', KEYS[5], ARGV[14])
end
redis.call('HSET', KEYS[4], ARGV[1], table.concat({ ARGV[3], ARGV[4], ARGV[5], ARGV[2] }, ','))
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[10]) + window, ARGV[1])
redis.call('ZADD', KEYS[6], now + tonumber(ARGV[10]), ARGV[1])
for b = 1, 3 do
  local cost = tonumber(ARGV[2 + b])
  if cost > 0 then
    redis.call('HINCRBY', KEYS[2], NAMES[b], cost)
    redis.call('HINCRBY', KEYS[2], 'granted_' .. NAMES[b], cost)
    if ARGV[2] == 'backfill' then
      redis.call('HINCRBY', KEYS[2], 'backfill_' .. NAMES[b], cost)
      -- Spread backfill over the window, so that budget for realtime becomes free continuously.
      local limit = tonumber(ARGV[5 + b])
      local realtime = used[b] - backfill[b]
      local share = math.max(limit * tonumber(ARGV[18]), limit * (1 - tonumber(ARGV[19])) - realtime * 1.1, 1)
      local from = math.max(pace[b], now - window / 60)
      redis.call('HSET', KEYS[2], 'pace_' .. NAMES[b], math.floor(from + cost / share * window))
    end
  end
end
return { 'granted', now }
