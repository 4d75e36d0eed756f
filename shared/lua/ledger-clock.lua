--[[
  The ledger's own clock, put before the scripts that need it. It runs with Redis' clock while the
  callers agree, and with theirs when Redis' clock steps: forward, nothing expires early; back,
  nothing counts longer than it should.

  A caller's notion is never ahead: its monotonic clock carries on the quickest answer that it had from
  here. A command that took long on its way looks like a step forward. Then the time of its sending
  counts, which is all that a reservation or an answer has to count from.

  key       ledger hash; its fields clock (ledger's ms) and redis (Redis' ms) are those of the last call
  expected  ledger's time as the caller reckons it, ms; '' when it has never heard of it

  Returns the ledger's time, ms: like Redis' time since 1970 until the first step, and never less
  than before.
]]
local function ledgerNow(key, expected)
  -- Scheduling and rounding; what is less does not show and may free budget that much early.
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
  -- First a write that needs no room: a full Redis refuses a script whose first write might need some.
  redis.call('HDEL', key, '')
  redis.call('HSET', key, 'clock', now, 'redis', here)
  return now
end
