--[[
  The ledger's clock, prepended to the scripts that need it. It follows Redis' clock while the callers
  agree with it, and the callers' clocks when Redis' clock steps. Therefore no cost expires early after
  a step forward, and no cost counts too long after a step back.

  A caller's estimate is never ahead: its monotonic clock extrapolates from its fastest reply. A delayed
  command looks like a step forward. Then the time of sending counts, which is enough for a reservation
  or an answer.

  key       ledger hash; its fields clock (ledger's ms) and redis (Redis' ms) are those of the last call
  expected  ledger's time as the caller estimates it, ms; '' before its first reply

  Returns the ledger's time, ms. It equals Redis' time since 1970 until the first step, and never
  decreases.
]]
local function ledgerNow(key, expected)
  -- Allows for scheduling and rounding. A smaller step is not detected and may free budget that much early.
  local TOLERANCE = 250
  local time = redis.call('TIME')
  local here = time[1] * 1000 + math.floor(time[2] / 1000)
  local kept = redis.call('HMGET', key, 'clock', 'redis')
  local now = here
  if kept[1] then
    now = kept[1] + math.max(0, here - kept[2])
  end
  local known = tonumber(expected)
  if known then
    if now > known + TOLERANCE then
      now = known
    end
    now = math.max(now, known, tonumber(kept[1] or here))
  end
  -- A full Redis refuses a script whose first write may allocate memory, so delete first.
  redis.call('HDEL', key, '')
  redis.call('HSET', key, 'clock', now, 'redis', here)
  return now
end
