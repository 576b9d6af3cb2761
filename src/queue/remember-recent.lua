-- Keeps ids of emissions for the operator. KEYS: the set of these ten minutes. ARGV: lifetime in s, then score and
-- member for each.
local added = redis.pcall('ZADD', KEYS[1], unpack(ARGV, 2))
if type(added) == 'table' then
  -- Another program wrote a key of another type: this list is the operator's convenience, and begins anew.
  if string.find(added.err, 'WRONGTYPE', 1, true) then
    redis.call('DEL', KEYS[1])
  end
  redis.call('ZADD', KEYS[1], unpack(ARGV, 2))
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
