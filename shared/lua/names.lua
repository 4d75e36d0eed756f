--[[
  Merges names into a workspace's census. The first day and producer of a name stay; types are added.

  KEYS[1]  hash of name to record: day, types (first one first), producer and doubt, parted by tabs;
           '@' counts the changes, '@resets' the resets
  ARGV[1]  number of resets that the caller knows
  ARGV[2 ..] name and record, in turns

  Returns {number of changes, then the record that each name has now}; {} after a reset that the caller
  does not know: then nothing is merged.

  Repeated? Nothing changes.
  Late? The earlier day stays, whichever came first; a type is added once. After a reset: nothing.
  Reordered? The same, but for the order of later types.
  Claim lost? No claim is involved.
]]
if (redis.call('HGET', KEYS[1], '@resets') or '0') ~= ARGV[1] then
  return {}
end
local records = {}
local changes = 0
for i = 2, #ARGV, 2 do
  local name, own = ARGV[i], ARGV[i + 1]
  local kept = redis.call('HGET', KEYS[1], name)
  local merged = own
  if kept then
    local ownDay, ownTypes = own:match('^(%d+)\t(%a*)\t')
    local day, types, rest = kept:match('^(%d+)\t(%a*)\t(.*)$')
    if day and ownDay then
      -- The earlier one was the first: its type is what MoEngage has.
      if tonumber(ownDay) < tonumber(day) then
        day, types, ownTypes = ownDay, ownTypes, types
        rest = own:match('^%d+\t%a*\t(.*)$')
      end
      for type in ownTypes:gmatch('%a') do
        if not types:find(type, 1, true) then
          types = types .. type
        end
      end
      merged = day .. '\t' .. types .. '\t' .. rest
    end
  end
  if merged ~= kept then
    redis.call('HSET', KEYS[1], name, merged)
    changes = changes + 1
  end
  records[#records + 1] = merged
end
if changes > 0 then
  redis.call('HINCRBY', KEYS[1], '@', 1)
end
table.insert(records, 1, redis.call('HGET', KEYS[1], '@') or '0')
return records
