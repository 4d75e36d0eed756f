--[[
  Reads waiting chunks of a partition, oldest first, without moving them: they leave the list only
  when they are settled, so a worker that dies or freezes leaves nothing to put back, and nothing
  that a former owner reads can disturb the new one.

  KEYS[1]  wait list (BullMQ pushes at the head, so the oldest is at the tail)
  KEYS[2]  control hash
  ARGV[1]  how many of the oldest to pass over: those the caller has
  ARGV[2]  at most so many chunks
  ARGV[3]  at most so many bytes, but one chunk at least
  ARGV[4]  prefix of the jobs' keys
  ARGV[5]  '1': when this reaches the end, the next add wakes the workers although the list is not
           empty: its owner holds all of it and waits for budget

  Returns {chunks waiting, id, chunk, done, id, chunk, done, …}; done is a bitmap of the elements that are
  settled already, or ''.

  Repeated? Reads change nothing but `watch`.
  Late? A wake-up more.
  Reordered? The same as repeated.
  Claim lost? A wake-up more.
]]
-- Ids are read a few at a time: most looks end after some chunks.
local STEP = 16
local skip = tonumber(ARGV[1])
local last = skip + tonumber(ARGV[2])
local reply = { redis.call('LLEN', KEYS[1]) }
if ARGV[5] == '1' and last >= reply[1] then
  -- First a write that needs no room: a full Redis refuses a script whose first write might need some.
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
