-- Acquires or renews the sweep's lock. KEYS: lock. ARGV: owner, lifetime of the lock in ms.
-- Returns the replication id of Redis (decision 2) and Redis' time in ms, or nil if another process has the lock.
local holder = redis.pcall('GET', KEYS[1])
if type(holder) == 'table' or (holder and redis.call('PTTL', KEYS[1]) == -1) then
  -- Another type, or no expiry: another program wrote it. It would stop all sweeps.
  holder = nil
end
if holder and holder ~= ARGV[1] then
  return nil
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
return {
  string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)'),
  string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)),
}
