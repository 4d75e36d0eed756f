--[[
  Ends a claim on an Idempotency-Key: the request was answered, or it ended without an answer. The
  answer itself is not kept: it is derived from the repeated body, so a record has a fixed size.

  KEYS[1]  records of keys first used today: hash of digest to JSON
  KEYS[2]  the same of yesterday
  KEYS[3]  the same of tomorrow
  ARGV[1]  digest of producer, app id and key
  ARGV[2]  request id of the claim
  ARGV[3]  outcome: 'answered'; 'unknown': something may be stored, so the next request with the key
           resumes; 'refused': nothing is stored, so the record goes unless an earlier try made it
  ARGV[4]  form of the answer, a few bytes: what is needed to derive it
  ARGV[5]  field that counts the bytes of the producer's records
  ARGV[6]  bytes that one record costs

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
    if ARGV[3] == 'refused' and not record.resumed and not record.status then
      redis.call('HDEL', KEYS[i], ARGV[1])
      if redis.call('HINCRBY', KEYS[i], ARGV[5], -ARGV[6]) <= 0 then
        redis.call('HDEL', KEYS[i], ARGV[5])
      end
      return 1
    end
    record.until_ms = 0
    if ARGV[3] == 'answered' then
      record.status = 200
      record.form = ARGV[4]
    end
    redis.call('HSET', KEYS[i], ARGV[1], cjson.encode(record))
    return 1
  end
end
return 0
