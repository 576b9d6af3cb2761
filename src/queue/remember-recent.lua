-- Keeps ids of emissions for the operator. KEYS: the set of these ten minutes. ARGV: lifetime in s, then the members.
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], 0, ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
