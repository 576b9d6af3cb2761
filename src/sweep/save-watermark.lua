-- Saves how far a sweep has come, and keeps its lock; not where the lock is gone or Redis has another history: then what
-- this sweep enqueued may be gone too. KEYS: lock, watermark. ARGV: owner, lifetime of the lock in ms, history at the
-- start, updatedAt in ms, appointment id, caught up (1 or 0). Returns 1 where it was saved.
local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] or history ~= ARGV[3] then
  return 0
end
local saved = redis.pcall('HSET', KEYS[2], 'updatedAt', ARGV[4], 'appointmentId', ARGV[5], 'caughtUp', ARGV[6])
if type(saved) == 'table' then
  -- Of another type: another program wrote it, and the sweep began anew. Any other fault comes again here.
  if string.find(saved.err, 'WRONGTYPE', 1, true) then
    redis.call('DEL', KEYS[2])
  end
  redis.call('HSET', KEYS[2], 'updatedAt', ARGV[4], 'appointmentId', ARGV[5], 'caughtUp', ARGV[6])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
