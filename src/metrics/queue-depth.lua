-- Depth of a BullMQ queue and when its oldest waiting job was made. Constant work, whatever the queue's length.
-- KEYS[1] wait, [2] prioritized, [3] delayed, [4] active, [5] failed; ARGV[1] start of the keys of jobs
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest

local function see(jobId)
  local made = jobId and tonumber(redis.call('HGET', ARGV[1] .. jobId, 'timestamp'))
  if made and (not oldest or made < oldest) then oldest = made end
end

-- Workers take from the right end.
see(redis.call('LINDEX', KEYS[1], -1))

-- Score: priority * 2^32 + a counter. The first of each priority, so that starving low ones are seen; 16 suffice.
local from = '-inf'
for _ = 1, 16 do
  local first = redis.call('ZRANGEBYSCORE', KEYS[2], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if not first[1] then break end
  see(first[1])
  from = string.format('%.0f', (math.floor(first[2] / 4294967296) + 1) * 4294967296)
end

-- Score: due time * 4096 + a counter. A job past its time waits, too: nobody is there to move it.
local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now * 4096), 'LIMIT', 0, 1)
see(due[1])

local age = -1
if oldest then age = math.max(0, now - oldest) end
return {
  redis.call('LLEN', KEYS[1]), redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  redis.call('LLEN', KEYS[4]), redis.call('ZCARD', KEYS[5]), age,
}
