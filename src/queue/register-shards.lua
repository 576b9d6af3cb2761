-- The number of shards that may have jobs, raised to ARGV[1]. KEYS[1]: the number. ARGV[2]: the highest possible number.
-- With one shard nothing is stored. A number that another program wrote counts as 1.
-- Returns the number, or -1 if another program wrote a key of another type: it is removed.
local known = redis.pcall('GET', KEYS[1])
if type(known) == 'table' and known.err then
  if not string.find(known.err, 'WRONGTYPE', 1, true) then return redis.call('GET', KEYS[1]) end
  redis.call('DEL', KEYS[1])
  return -1
end
local shards = known and string.find(known, '^%d+$') and tonumber(known) or 1
local own = tonumber(ARGV[1])
if shards > tonumber(ARGV[2]) then shards = 1 end
if shards < own then
  redis.call('SET', KEYS[1], own)
  return own
end
return shards
