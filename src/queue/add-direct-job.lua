-- Adds a job that its own process runs at once. It is stored as BullMQ 6.7 stores a job that a worker has just fetched, but wakes
-- no worker. A worker runs it again if its lock expires.
-- KEYS: meta, active, events, job, lock. ARGV: job id, token, ms of the lock, time in ms, then name, data, options and
-- timestamp of the job, and '1' if the job is only looked for: an earlier run of the script had no reply.
-- Returns 1 if the job belongs to the token now. Otherwise nothing is added: 0 if the job exists already, -1 if an operator
-- has paused or limited the queue, -2 if a job that is only looked for does not exist.
if redis.call('EXISTS', KEYS[4]) == 1 then
  if redis.call('GET', KEYS[5]) ~= ARGV[2] then return 0 end
  redis.call('SET', KEYS[5], ARGV[2], 'PX', ARGV[3])
  return 1
end
if ARGV[9] == '1' then return -2 end
local limits = redis.call('HMGET', KEYS[1], 'paused', 'concurrency', 'max')
if limits[1] or limits[2] or limits[3] then
  return -1
end
redis.call('LPUSH', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[4], 'name', ARGV[5], 'data', ARGV[6], 'opts', ARGV[7], 'timestamp', ARGV[8], 'delay', 0,
  'priority', 0, 'processedOn', ARGV[4], 'ats', 1)
redis.call('SET', KEYS[5], ARGV[2], 'PX', ARGV[3])
redis.call('XADD', KEYS[3], '*', 'event', 'added', 'jobId', ARGV[1], 'name', ARGV[5])
redis.call('XADD', KEYS[3], '*', 'event', 'active', 'jobId', ARGV[1], 'prev', 'waiting')
return 1
