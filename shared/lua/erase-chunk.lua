--[[
  Replaces a chunk with a copy that lacks the elements of an erased customer, unless the chunk or its
  settled elements changed since the caller read them. The order of chunks and elements does not change.

  KEYS[1]  the chunk's job
  KEYS[2]  control hash of the partition
  ARGV[1]  SHA-1 of the chunk as read and, behind it, its bitmap of settled elements ('' for none)
  ARGV[2]  the new chunk
  ARGV[3..5]  users, events, devices (elements as posted) that were erased and not settled yet

  Returns 'erased', 'changed' (read it again) or 'gone' (the whole chunk is settled).

  Repeated?    The first call changed the chunk: 'changed'.
  Late?        Changes nothing if the chunk has changed since the caller read it.
  Reordered?   The newer call changed the chunk, so the older one does nothing.
  Claim lost?  Needs no claim: an owner that settles meanwhile changes the digest.
]]
local job = redis.call('HMGET', KEYS[1], 'chunk', 'done', 'counts')
if not job[1] then
  return 'gone'
end
if redis.sha1hex(job[1] .. (job[2] or '')) ~= ARGV[1] then
  return 'changed'
end
local counts = {}
for count in string.gmatch(job[3], '%d+') do
  counts[#counts + 1] = tonumber(count)
end
local fields = { 'user', 'event', 'device' }
for i = 1, 3 do
  local gone = tonumber(ARGV[2 + i])
  counts[i + 1] = counts[i + 1] - gone
  if gone ~= 0 then
    redis.call('HINCRBY', KEYS[2], fields[i], -gone)
  end
end
-- The count of bytes does not change: settling the chunk subtracts the same number.
redis.call('HSET', KEYS[1], 'chunk', ARGV[2], 'counts', table.concat(counts, ','))
return 'erased'
