-- Moves a job that no worker can read from the active ones to the failed ones, with its usable fields.
-- KEYS: active, failed, stalled, job, lock. ARGV: job id, time in ms, then fields and values of the job.
-- Returns 1, or 0 if the job is no longer active.
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then
  return 0
end
redis.call('SREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[4], KEYS[5])
redis.call('HSET', KEYS[4], unpack(ARGV, 3))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1
