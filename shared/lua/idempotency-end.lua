--[[
  Ends a claim on an Idempotency-Key: with the answer to give from now on, or without one.

  KEYS[1]  records of keys first used today: hash of digest to JSON
  KEYS[2]  the same of yesterday
  KEYS[3]  the same of tomorrow
  ARGV[1]  digest of producer, app id and key
  ARGV[2]  request id of the claim
  ARGV[3]  status of the answer, '' for none: the next request with the key resumes at once
  ARGV[4]  body of the answer

  Returns 1, or 0 when the claim is unknown.

  Repeated?    The second call changes nothing.
  Late?        An answer is kept whenever it comes; the end of a claim without one lets the next try resume
               earlier, which only stores what is recognised.
  Reordered?   A call without an answer never removes one.
  Claim lost?  The request id is that of all tries of the key: an older try may end a younger one's claim.
               That is safe, since a partition stores each piece once.
]]
for i = 1, 3 do
  local stored = redis.call('HGET', KEYS[i], ARGV[1])
  local record = stored and cjson.decode(stored)
  if record and record.id == ARGV[2] then
    record.until_ms = 0
    if ARGV[3] ~= '' then
      record.status = tonumber(ARGV[3])
      record.answer = ARGV[4]
    end
    redis.call('HSET', KEYS[i], ARGV[1], cjson.encode(record))
    return 1
  end
end
return 0
