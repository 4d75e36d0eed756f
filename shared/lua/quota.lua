--[[
  Charges one producer's quotas in one workspace with elements and bytes, if both quotas allow it.
  Otherwise it changes nothing.

  KEYS[1]     hash: slice of time → elements taken in it
  KEYS[2]     hash: lane → bytes taken in total
  KEYS[3..4]  sorted sets, of realtime and backfill: "minute:bytes taken before it", score = minute
  ARGV[1]     elements; a negative number refunds them
  ARGV[2]     limit of elements per window, '' for unlimited
  ARGV[3]     length of a slice, ms; a window has 60
  ARGV[4]     bytes
  ARGV[5]     lane, 1 realtime or 2 backfill
  ARGV[6]     limit of the producer's backlog in bytes, '' for unlimited
  ARGV[7..8]  realtime backlog of all producers: bytes, and timestamp of the oldest chunk, ms since 1970
              ('' for none)
  ARGV[9..10] the same of backfill

  The backlog of one producer is not known exactly. Its upper bound per lane is the smaller of the
  backlog of all producers and the bytes that the producer posted since the oldest waiting chunk.

  Returns {'granted'}, {'elements', ms until enough elements are available} or {'backlog', bytes counted}.

  Repeated?    Counts a second time: the producer has less until the slice ends. Callers never repeat.
  Late?        Counts in the slice of the execution.
  Reordered?   Sums do not depend on the order.
  Claim lost?  Quotas do not depend on claims.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slice_ms = tonumber(ARGV[3])
local slice = math.floor(now / slice_ms)
local asked = tonumber(ARGV[1])

local function taken_slices()
  local flat = redis.call('HGETALL', KEYS[1])
  local slices, sum = {}, 0
  for i = 1, #flat, 2 do
    local at = tonumber(flat[i])
    -- 61 slices: the oldest still reaches into the window.
    if at < slice - 60 then
      redis.call('HDEL', KEYS[1], flat[i])
    else
      slices[#slices + 1] = { at, tonumber(flat[i + 1]) }
      sum = sum + tonumber(flat[i + 1])
    end
  end
  return slices, sum
end

local function wait_for(slices, excess)
  table.sort(slices, function(a, b) return a[1] < b[1] end)
  for _, taken in ipairs(slices) do
    excess = excess - taken[2]
    if excess <= 0 then return (taken[1] + 61) * slice_ms - now end
  end
  return 61 * slice_ms
end

local function waiting_at_most(lane)
  local bytes, oldest = tonumber(ARGV[5 + 2 * lane]), ARGV[6 + 2 * lane]
  if bytes == 0 or oldest == '' then return 0 end
  -- One minute earlier, because the timestamp is from an api's clock, not Redis'.
  local minute = math.floor(tonumber(oldest) / 60000) - 1
  local name = lane == 1 and 'realtime' or 'backfill'
  local ever = tonumber(redis.call('HGET', KEYS[2], name) or '0')
  local sample = redis.call('ZREVRANGEBYSCORE', KEYS[2 + lane], minute, '-inf', 'LIMIT', 0, 1)[1]
  local before = sample and tonumber(string.match(sample, ':(%d+)$')) or 0
  if sample then
    -- Older samples are no longer needed: the oldest waiting chunk only gets newer.
    redis.call('ZREMRANGEBYSCORE', KEYS[2 + lane], '-inf', '(' .. string.match(sample, '^%d+'))
  end
  return math.min(bytes, ever - before)
end

if asked > 0 and ARGV[2] ~= '' then
  local slices, sum = taken_slices()
  local excess = sum + asked - tonumber(ARGV[2])
  if excess > 0 then return { 'elements', wait_for(slices, excess) } end
end
if asked > 0 and ARGV[6] ~= '' then
  local bytes = tonumber(ARGV[4])
  local waiting = waiting_at_most(1) + waiting_at_most(2)
  if waiting + bytes > tonumber(ARGV[6]) then return { 'backlog', waiting } end
  local lane = tonumber(ARGV[5])
  local name = lane == 1 and 'realtime' or 'backfill'
  local minute = math.floor(now / 60000)
  local ever = redis.call('HINCRBY', KEYS[2], name, bytes) - bytes
  if tonumber(ARGV[5 + 2 * lane]) == 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[2 + lane], '-inf', '(' .. (minute - 2))
  end
  if redis.call('ZCOUNT', KEYS[2 + lane], minute, '+inf') == 0 then
    redis.call('ZADD', KEYS[2 + lane], minute, minute .. ':' .. string.format('%.0f', ever))
  end
  -- The counts survive an outage of days and restart after a month.
  redis.call('EXPIRE', KEYS[2], 2592000)
  redis.call('EXPIRE', KEYS[2 + lane], 2592000)
end
if asked < 0 and ARGV[6] ~= '' then
  redis.call('HINCRBY', KEYS[2], ARGV[5] == '1' and 'realtime' or 'backfill', -tonumber(ARGV[4]))
end
if ARGV[2] ~= '' then
  redis.call('HINCRBY', KEYS[1], slice, asked)
  redis.call('PEXPIRE', KEYS[1], slice_ms * 122)
end
return { 'granted' }
