-- Keeps ids of emissions for the operator. KEYS: the set of these ten minutes. ARGV: lifetime in s, then score and
-- member for each.
redis.call('ZADD', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
