-- Saves how far a sweep has come, and keeps its lock; not where the lock is gone or Redis has another history: then what
-- this sweep enqueued may be gone too. KEYS: lock, watermark. ARGV: owner, lifetime of the lock in ms, history at the
-- start, updatedAt in ms, appointment id, caught up (1 or 0). Returns 1 where it was saved.
local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
if redis.call('GET', KEYS[1]) ~= ARGV[1] or history ~= ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[2], 'updatedAt', ARGV[4], 'appointmentId', ARGV[5], 'caughtUp', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
