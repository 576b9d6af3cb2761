-- Writes the records of requests that were accepted. KEYS: one per request. ARGV: lifetime in s, then one record per key.
for i, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1])
end
