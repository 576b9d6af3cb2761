-- Takes the sweep's lock, or keeps it. KEYS: lock. ARGV: owner, lifetime of the lock in ms.
-- Returns the name of this history of Redis (decision 2) and Redis' time in ms, or nil where another process sweeps.
local holder = redis.pcall('GET', KEYS[1])
if type(holder) == 'table' or (holder and redis.call('PTTL', KEYS[1]) == -1) then
  -- Of another type, or without an end: no process of ours wrote it, and it would keep all of them from sweeping.
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
