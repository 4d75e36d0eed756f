--[[
  How many partitions a workspace has. The number changes in generations: first every partition of
  the old generation is closed to adds, then the new one opens ('flip'), and it is served once the
  old one is empty ('drained'), so that no element overtakes an older one of its customer.

  KEYS[1]  layout hash: generation, partitions, next (partitions wanted), draining ("generation:partitions")
  ARGV[1]  partitions wanted
  ARGV[2]  'get', 'plan', 'flip' or 'drained'
  ARGV[3]  for flip and drained: the old generation
  ARGV[4]  pub/sub channel for wake-ups
  ARGV[5]  app id

  Returns {generation, partitions, next or '', draining or ''}.
]]
local layout = redis.call('HMGET', KEYS[1], 'generation', 'partitions', 'next', 'draining')
if not layout[1] then
  layout = { '0', ARGV[1], false, false }
  redis.call('HSET', KEYS[1], 'generation', '0', 'partitions', ARGV[1])
end
local step = ARGV[2]
if step == 'plan' and not layout[3] and not layout[4] and layout[2] ~= ARGV[1] then
  layout[3] = ARGV[1]
  redis.call('HSET', KEYS[1], 'next', ARGV[1])
elseif step == 'flip' and layout[3] and layout[1] == ARGV[3] then
  layout[4] = layout[1] .. ':' .. layout[2]
  layout[1] = tostring(tonumber(layout[1]) + 1)
  layout[2] = layout[3]
  layout[3] = false
  redis.call('HSET', KEYS[1], 'generation', layout[1], 'partitions', layout[2], 'draining', layout[4])
  redis.call('HDEL', KEYS[1], 'next')
  redis.call('PUBLISH', ARGV[4], 'layout ' .. ARGV[5])
elseif step == 'drained' and layout[4] and string.match(layout[4], '^%d+') == ARGV[3] then
  layout[4] = false
  redis.call('HDEL', KEYS[1], 'draining')
  redis.call('PUBLISH', ARGV[4], 'layout ' .. ARGV[5])
end
return { layout[1], layout[2], layout[3] or '', layout[4] or '' }
