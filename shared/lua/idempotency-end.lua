--[[
  Ends a claim on an Idempotency-Key, with or without an answer to the request. The answer is not
  stored: relay derives it from the repeated body, so a record has a fixed size.

  KEYS[1]  records of keys first used today: hash of digest to JSON
  KEYS[2]  the same of yesterday
  KEYS[3]  the same of tomorrow
  ARGV[1]  digest of producer, app id and key
  ARGV[2]  request id of the claim
  ARGV[3]  outcome: 'answered'; 'unknown': elements may be stored, so the next request with the key
           resumes; 'refused': nothing is stored, so the record is deleted unless an earlier try made it
  ARGV[4]  form of the answer: the few bytes from which relay derives it
  ARGV[5]  field that counts the bytes of the producer's records
  ARGV[6]  bytes that one record costs

  Returns 1, or 0 when the claim is unknown.

  Repeated?    The second call changes nothing.
  Late?        A late answer is stored. A late end without an answer lets the next try resume earlier; its
               pieces are recognised.
  Reordered?   A call without an answer never removes one.
  Claim lost?  All tries of a key share the request id, so an older try may end the claim of a newer one.
               That is safe: a partition stores each piece once.
]]
for i = 1, 3 do
  local stored = redis.call('HGET', KEYS[i], ARGV[1])
  local record = stored and cjson.decode(stored)
  if record and record.id == ARGV[2] then
    if ARGV[3] == 'refused' and not record.resumed and not record.status then
      redis.call('HDEL', KEYS[i], ARGV[1])
      for _, counter in ipairs({ ARGV[5], 'bytes' }) do
        if redis.call('HINCRBY', KEYS[i], counter, -ARGV[6]) <= 0 then
          redis.call('HDEL', KEYS[i], counter)
        end
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
