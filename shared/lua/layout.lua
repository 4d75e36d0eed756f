--[[
  Reads and changes a workspace's number of partitions and its shadow mode. Both change in
  generations: every partition of the old generation is closed to adds, then the new generation opens
  ('flip'). Workers serve it once all older generations are empty ('drained'), so that no element
  overtakes an older one of its customer.

  KEYS[1]  layout hash: generation, partitions, mode, next and next_mode (wanted), draining (oldest
           first: "generation:partitions" or "generation:partitions:shadow", separated by commas),
           previous (closed in the last two days, oldest first, at most 8: "generation:partitions:
           seconds since 1970", separated by commas): repeated posts may be stored there
  ARGV[1]  partitions wanted
  ARGV[2]  'get', 'plan', 'flip' or 'drained'
  ARGV[3]  for flip and drained: the old generation
  ARGV[4]  pub/sub channel for wake-ups
  ARGV[5]  app id
  ARGV[6]  mode wanted, 'live' or 'shadow'

  Returns {generation, partitions, next or '', draining or '', mode, previous or ''}.

  Repeated?    A step names the generation it leaves. The second call finds another and changes nothing.
  Late?        Changes nothing unless that generation is still current. A late plan may restore an older
               number of partitions; the workers plan again when theirs differs.
  Reordered?   As when late.
  Claim lost?  The layout belongs to the workspace and does not depend on claims.
]]
local layout = redis.call('HMGET', KEYS[1], 'generation', 'partitions', 'next', 'draining', 'mode', 'next_mode', 'previous')
if not layout[1] then
  layout = { '0', ARGV[1], false, false, ARGV[6], false, false }
  redis.call('HSET', KEYS[1], 'generation', '0', 'partitions', ARGV[1], 'mode', ARGV[6])
end
-- Written by a version of relay without shadow mode.
layout[5] = layout[5] or 'live'
local step = ARGV[2]
if step == 'plan' and not layout[3] and (layout[2] ~= ARGV[1] or layout[5] ~= ARGV[6]) then
  layout[3] = ARGV[1]
  redis.call('HSET', KEYS[1], 'next', ARGV[1], 'next_mode', ARGV[6])
elseif step == 'flip' and layout[3] and layout[1] == ARGV[3] then
  local old = layout[1] .. ':' .. layout[2]
  if layout[5] == 'shadow' then
    old = old .. ':shadow'
  end
  layout[4] = layout[4] and (layout[4] .. ',' .. old) or old
  local now = tonumber(redis.call('TIME')[1])
  local closed = { layout[1] .. ':' .. layout[2] .. ':' .. now }
  for entry in string.gmatch(layout[7] or '', '[^,]+') do
    if tonumber(string.match(entry, '%d+$')) > now - 172800 then
      table.insert(closed, #closed, entry)
    end
  end
  layout[7] = table.concat(closed, ',', math.max(1, #closed - 7))
  layout[1] = tostring(tonumber(layout[1]) + 1)
  layout[2] = layout[3]
  layout[3] = false
  layout[5] = layout[6] or 'live'
  redis.call('HSET', KEYS[1], 'generation', layout[1], 'partitions', layout[2], 'mode', layout[5],
    'draining', layout[4], 'previous', layout[7])
  redis.call('HDEL', KEYS[1], 'next', 'next_mode')
  redis.call('PUBLISH', ARGV[4], 'layout ' .. ARGV[5])
elseif step == 'drained' and layout[4] and string.match(layout[4], '^%d+') == ARGV[3] then
  layout[4] = string.match(layout[4], '^[^,]*,(.*)$') or false
  if layout[4] then
    redis.call('HSET', KEYS[1], 'draining', layout[4])
  else
    redis.call('HDEL', KEYS[1], 'draining')
  end
  redis.call('PUBLISH', ARGV[4], 'layout ' .. ARGV[5])
end
return { layout[1], layout[2], layout[3] or '', layout[4] or '', layout[5], layout[7] or '' }
