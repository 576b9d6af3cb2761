-- Keeps the newest emission ids of appointments, oldest first; one that is remembered again keeps its place.
-- KEYS: one sorted set per emission. ARGV: lifetime in s, how many to keep, then (accepted at in ms, emission id) per key.
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, 'NX', ARGV[i * 2 + 1], ARGV[i * 2 + 2])
  redis.call('ZREMRANGEBYRANK', key, 0, -1 - ARGV[2])
  redis.call('EXPIRE', key, ARGV[1])
end
