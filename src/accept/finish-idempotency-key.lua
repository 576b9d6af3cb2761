-- Notes what keys were used for. KEYS: one per request. ARGV: lifetime in s, then one value per key.
for i, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1])
end
