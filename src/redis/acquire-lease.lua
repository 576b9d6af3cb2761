-- After src/redis/current-history.lua. Acquires or renews a lease. KEYS: lock. ARGV: owner, lifetime of the lock in ms.
-- Returns the history of Redis and Redis' time in ms, or nil if another process has the lease.
local holder = redis.pcall('GET', KEYS[1])
local left_ms = redis.call('PTTL', KEYS[1])
if type(holder) == 'table' or left_ms == -1 or left_ms > tonumber(ARGV[2]) then
  -- Another type, or no expiry: another program wrote it. Longer than a lease: Redis' clock was set back. It would stop all
  -- processes.
  holder = nil
end
if holder and holder ~= ARGV[1] then
  return nil
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
return {
  current_history(),
  string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)),
}
