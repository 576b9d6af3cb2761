-- Sets where jobs will stand in the line once they are retried. A job that is no longer kept is left alone.
-- KEYS: jobs. ARGV[1] priority
for _, job in ipairs(KEYS) do
  if redis.call('EXISTS', job) == 1 then redis.call('HSET', job, 'priority', ARGV[1]) end
end
