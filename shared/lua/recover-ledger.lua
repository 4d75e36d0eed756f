--[[
  Brings the ledger into a new incarnation of Redis: after a restart or failover the last moments
  may be missing. Every worker that was alive enters its own reservations of the last window again;
  nobody is granted anything before all have.

  KEYS[1]  ledger hash
  KEYS[2]  zset of request by when its cost expires, ledger's ms
  KEYS[3]  hash of request to "users,events,devices,lane"
  KEYS[4]  hash of the recovery: incarnation, since, and a field per worker that has re-entered
  ARGV[1]  the new incarnation
  ARGV[2]  the calling worker
  ARGV[3]  ledger's time as the caller reckons it, ms, or ''
  ARGV[4]  open after so many ms at the latest: by then nothing unknown can count any more
  ARGV[5]  number of workers n that are alive, as far as the caller knows
  ARGV[6..5+n]  these workers: all must have re-entered. After a restart of Redis those whom the first
           caller names count to the end: one that died meanwhile may have had reservations that nobody
           remembers
  then per reservation of the caller: id, "users,events,devices,lane", ms until it expires

  Returns {'open'} or {'wait', ms}.

  Repeated? Each reservation is entered once.
  Late? A former run's call starts the recovery again; nothing is granted until it is over.
  Reordered? Entries are kept by their ids, and their ends only move later.
  Claim lost? Reservations count whoever holds the partitions.
]]
local NAMES = { 'users', 'events', 'devices' }
local now = ledgerNow(KEYS[1], ARGV[3])
local before = redis.call('HGET', KEYS[1], 'incarnation')
local isOpen = before == ARGV[1]
local workers = tonumber(ARGV[5])
if not isOpen and redis.call('HGET', KEYS[4], 'incarnation') ~= ARGV[1] then
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], 'incarnation', ARGV[1], 'since', now)
  if before then
    for i = 6, 5 + workers do
      redis.call('HSET', KEYS[4], 'required:' .. ARGV[i], '1')
    end
  end
end
for i = 6 + workers, #ARGV, 3 do
  local expiry = now + tonumber(ARGV[i + 2])
  if redis.call('HSETNX', KEYS[3], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('ZADD', KEYS[2], expiry, ARGV[i])
    local b = 1
    local lane = string.match(ARGV[i + 1], '[^,]+$')
    for amount in string.gmatch(ARGV[i + 1], '%d+') do
      if b <= 3 and amount ~= '0' then
        redis.call('HINCRBY', KEYS[1], NAMES[b], amount)
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
-- Whoever comes late enters all the same: it counts, if only from now on.
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
for i = 6, 5 + workers do
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
