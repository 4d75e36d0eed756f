--[[
  Claims an Idempotency-Key for a request, or returns the state of the key.

  KEYS[1]  records of keys first used today: hash of digest to JSON
  KEYS[2]  the same of yesterday
  KEYS[3]  the same of tomorrow: another api's clock may be ahead of the caller's
  ARGV[1]  digest of producer, app id and key
  ARGV[2]  digest of the body
  ARGV[3]  request id, given to the request if it is the first
  ARGV[4]  expiry of a claim without an answer, ms
  ARGV[5]  retention of answers, ms
  ARGV[6]  wall clock of acceptance, ms since 1970
  ARGV[7]  field that counts the bytes of the producer's records; its length differs from a digest's
  ARGV[8]  maximum bytes of the producer's records over all three days
  ARGV[9]  bytes that one record costs
  The field "bytes" counts the bytes of all producers.

  Returns {state, …}:
    new, request id, accepted at, since       the caller runs it
    resumed, request id, accepted at, since   an earlier try ended without an answer: the caller runs it
    replay, request id, accepted at, form answered before; the form describes the answer (idempotency-end.lua)
    full                                  the producer's records are at their maximum; nothing is written
    mismatch                              the key belongs to another body
    running                               the first try is in progress
  `since` is the time of the key's first use, ms since 1970 on Redis' clock.

  Repeated?    The first call has the claim, so the second returns running. After the claim has ended it
               resumes the same request under the same id, and add-chunk.lua recognises its pieces.
  Late?        An abandoned claim expires.
  Reordered?   Claims of one key exclude each other; an answer that was given stays.
  Claim lost?  Both tries store the same pieces, and a partition stores each once.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key = KEYS[1]
local record
for i = 1, 3 do
  local stored = redis.call('HGET', KEYS[i], ARGV[1])
  local known = stored and cjson.decode(stored)
  if known and now - known.since <= tonumber(ARGV[5]) then
    record = known
    key = KEYS[i]
    break
  end
end
if not record then
  local held = tonumber(ARGV[9])
  for i = 1, 3 do
    held = held + tonumber(redis.call('HGET', KEYS[i], ARGV[7]) or 0)
  end
  if held > tonumber(ARGV[8]) then
    return { 'full' }
  end
  redis.call('HINCRBY', key, ARGV[7], ARGV[9])
  redis.call('HINCRBY', key, 'bytes', ARGV[9])
  record = { body = ARGV[2], id = ARGV[3], at = tonumber(ARGV[6]), since = now, until_ms = now + tonumber(ARGV[4]) }
  redis.call('HSET', key, ARGV[1], cjson.encode(record))
  redis.call('PEXPIRE', key, tonumber(ARGV[5]) * 2)
  return { 'new', record.id, ARGV[6], string.format('%.0f', now) }
end
if record.body ~= ARGV[2] then
  return { 'mismatch' }
end
if record.status then
  return { 'replay', record.id, string.format('%.0f', record.at), record.form or '' }
end
if record.until_ms > now then
  return { 'running' }
end
record.until_ms = now + tonumber(ARGV[4])
record.resumed = 1
redis.call('HSET', key, ARGV[1], cjson.encode(record))
return { 'resumed', record.id, string.format('%.0f', record.at), string.format('%.0f', record.since) }
