--[[
  Recovers the ledger after a restart or failover of Redis, which may have lost the last writes. Every
  worker that was alive re-registers its reservations of the last window. The ledger grants nothing
  until all have done so.

  KEYS[1]  ledger hash
  KEYS[2]  zset of request by expiry of its cost, ledger's ms
  KEYS[3]  hash of request to "users,events,devices,lane"
  KEYS[4]  hash of the recovery: incarnation (the run of Redis), since, and a field per worker that has re-entered
  ARGV[1]  the new run of Redis
  ARGV[2]  the calling worker
  ARGV[3]  ledger's time as the caller estimates it, ms, or ''
  ARGV[4]  how long after the start of the run a lost reservation can count, ms: the ledger opens then
  ARGV[5]  how long ago the run started, ms
  ARGV[6]  number n of workers that were alive before or are now, in the caller's view
  ARGV[7..6+n]  these workers, which must all re-register. Those that the first caller names stay
           required: one that died meanwhile may have had reservations that are now lost
  then a number m, and m workers that ended before the run started. Only an empty ledger requires them:
           otherwise it still has their reservations
  then per reservation of the caller: id, "users,events,devices,lane", ms until it expires

  Returns {'open'} or {'wait', ms}.

  Repeated? Each reservation is entered once.
  Late? A former run's call starts the recovery again; nothing is granted until it is over.
  Reordered? Entries are stored by id, and their expiry only moves later.
  Claim lost? Reservations do not depend on claims.
]]
local NAMES = { 'users', 'events', 'devices' }
local now = ledgerNow(KEYS[1], ARGV[3])
local before = redis.call('HGET', KEYS[1], 'incarnation')
local isOpen = before == ARGV[1]
local lastWorker = 6 + tonumber(ARGV[6])
local lastEnded = lastWorker + 1 + tonumber(ARGV[lastWorker + 1])
local function require(first, last)
  for i = first, last do
    redis.call('HSET', KEYS[4], 'required:' .. ARGV[i], '1')
  end
end
if not isOpen and redis.call('HGET', KEYS[4], 'incarnation') ~= ARGV[1] then
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], 'incarnation', ARGV[1], 'since', now - tonumber(ARGV[5]))
  if before then
    require(7, lastWorker)
  end
end
if not before then
  require(lastWorker + 2, lastEnded)
end
for i = lastEnded + 1, #ARGV, 3 do
  local expiry = now + tonumber(ARGV[i + 2])
  if redis.call('HSETNX', KEYS[3], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('ZADD', KEYS[2], expiry, ARGV[i])
    local b = 1
    local lane = string.match(ARGV[i + 1], '[^,]+$')
    for amount in string.gmatch(ARGV[i + 1], '%d+') do
      if b <= 3 and amount ~= '0' then
        redis.call('HINCRBY', KEYS[1], NAMES[b], amount)
        redis.call('HINCRBY', KEYS[1], 'granted_' .. NAMES[b], amount)
        if lane == 'backfill' then
          redis.call('HINCRBY', KEYS[1], 'backfill_' .. NAMES[b], amount)
        end
      end
      b = b + 1
    end
  else
    redis.call('ZADD', KEYS[2], 'GT', expiry, ARGV[i])
  end
end
-- A late worker's reservations are entered too, and count from now.
if isOpen then
  return { 'open' }
end
redis.call('HSET', KEYS[4], 'entered:' .. ARGV[2], '1')
redis.call('PEXPIRE', KEYS[4], tonumber(ARGV[4]) + 60000)
local missing = false
local function mustHaveEntered(worker)
  if redis.call('HEXISTS', KEYS[4], 'entered:' .. worker) == 0 then
    missing = true
  end
end
for i = 7, lastWorker do
  mustHaveEntered(ARGV[i])
end
for _, field in ipairs(redis.call('HKEYS', KEYS[4])) do
  local worker = string.match(field, '^required:(.*)$')
  if worker then
    mustHaveEntered(worker)
  end
end
local left = tonumber(redis.call('HGET', KEYS[4], 'since')) + tonumber(ARGV[4]) - now
if missing and left > 0 then
  return { 'wait', left }
end
redis.call('HSET', KEYS[1], 'incarnation', ARGV[1])
return { 'open' }
