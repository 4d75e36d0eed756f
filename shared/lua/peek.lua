--[[
  Reads waiting chunks of a partition, oldest first, without moving them. Chunks leave the list only
  when they are settled, so a dead or frozen worker leaves nothing to restore, and the reads of a former
  owner do not affect the new one.

  KEYS[1]  wait list (BullMQ pushes at the head, so the oldest is at the tail)
  KEYS[2]  control hash
  ARGV[1]  number of oldest chunks to skip: the caller already has them
  ARGV[2]  maximum number of chunks
  ARGV[3]  maximum bytes; the first chunk is always returned
  ARGV[4]  prefix of the jobs' keys
  ARGV[5]  '1': if this read reaches the end, the next add wakes the workers although the list is not
           empty, because its owner holds the whole list and waits for budget

  Returns {chunks waiting, id, chunk, done, id, chunk, done, …}; done is a bitmap of the settled elements,
  or ''.

  Repeated? Reads change only `watch`.
  Late? Causes one extra wake-up.
  Reordered? The same as repeated.
  Claim lost? Causes one extra wake-up.
]]
-- Ids are read a few at a time: most reads end after some chunks.
local STEP = 16
local skip = tonumber(ARGV[1])
local last = skip + tonumber(ARGV[2])
local reply = { redis.call('LLEN', KEYS[1]) }
if ARGV[5] == '1' and last >= reply[1] then
  -- A full Redis refuses a script whose first write may allocate memory, so delete first.
  redis.call('HDEL', KEYS[2], '')
  redis.call('HSET', KEYS[2], 'watch', '1')
end
local bytes = 0
while skip < last do
  local step = math.min(STEP, last - skip)
  local ids = redis.call('LRANGE', KEYS[1], -(skip + step), -(skip + 1))
  for i = #ids, 1, -1 do
    local job = redis.call('HMGET', ARGV[4] .. ids[i], 'chunk', 'done')
    bytes = bytes + #(job[1] or '')
    if bytes > tonumber(ARGV[3]) and #reply > 1 then
      return reply
    end
    reply[#reply + 1] = ids[i]
    reply[#reply + 1] = job[1] or ''
    reply[#reply + 1] = job[2] or ''
  end
  if #ids < step then
    break
  end
  skip = skip + step
end
return reply
