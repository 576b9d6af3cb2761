-- Lowers the number of shards that may have jobs by one, unless another process has changed it. KEYS[1]: the number.
-- ARGV[1]: the number as it was.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], tonumber(ARGV[1]) - 1)
return 1
