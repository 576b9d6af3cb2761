-- Records the heartbeat of a process.
-- KEYS[1] processes by last heartbeat, KEYS[2] heartbeat of each, KEYS[3] companies of this process (HyperLogLog)
-- ARGV[1] process key, [2] heartbeat (JSON), [3] TTL in ms, [4] time in ms or '' for Redis' own; then companies
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Keys of another type were written by another program. Each heartbeat writes their content again.
for i = 1, 2 do
  local reply = i == 1 and redis.pcall('ZCARD', KEYS[1]) or redis.pcall('HGET', KEYS[2], ARGV[1])
  if type(reply) == 'table' and string.find(reply.err, 'WRONGTYPE', 1, true) then redis.call('DEL', KEYS[i]) end
end
-- Removes processes that have crashed, so that keys do not accumulate.
local function forget(from, to)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'LIMIT', 0, 100)) do
    redis.call('ZREM', KEYS[1], gone)
    redis.call('HDEL', KEYS[2], gone)
  end
end
forget('-inf', now - ARGV[3])
-- Removes heartbeats in the future too: they would never expire.
forget(now + ARGV[3], '+inf')
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])

-- Created again each time, since a company cannot be removed from a HyperLogLog.
redis.call('DEL', KEYS[3])
for first = 5, #ARGV, 1000 do
  redis.call('PFADD', KEYS[3], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return now
