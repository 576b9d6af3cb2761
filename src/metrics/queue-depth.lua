-- Depth of a BullMQ queue, and the age of its oldest waiting job. The work does not depend on the length of the queue.
-- KEYS[1] wait, [2] prioritized, [3] delayed, [4] active, [5] failed; ARGV[1] start of the keys of jobs
local damaged = {}
-- A list, set or job of another type counts as empty: another program wrote it.
local function of(index, ...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'WRONGTYPE', 1, true) then return redis.call(...) end
    damaged[index] = true
    return nil
  end
  return reply
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest

local function see(jobId)
  local timestamp = jobId and of(0, 'HGET', ARGV[1] .. jobId, 'timestamp')
  local made = timestamp and string.find(timestamp, '^%d+$') and tonumber(timestamp)
  if made and (not oldest or made < oldest) then oldest = made end
end

-- Workers take from the right end.
see(of(1, 'LINDEX', KEYS[1], -1))

-- Score: priority * 2^32 + a counter. A class of jobs has 500,000 priorities. The first job of each class, so that a class that
-- starves is seen; 16 suffice.
local from = '-inf'
for _ = 1, 16 do
  local first = of(2, 'ZRANGEBYSCORE', KEYS[2], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1) or {}
  if not first[1] then break end
  see(first[1])
  -- No job of ours has a score beyond all numbers.
  local score = tonumber(first[2])
  if not score or score == math.huge then break end
  from = string.format('%.0f', (math.floor(score / 4294967296 / 500000) + 1) * 500000 * 4294967296)
end

-- Score: due time * 4096 + a counter. A delayed job that is due counts as waiting: without a worker it is not moved.
local due = of(3, 'ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now * 4096), 'LIMIT', 0, 1) or {}
see(due[1])

local age = -1
if oldest then age = math.max(0, now - oldest) end
local counts = {
  of(1, 'LLEN', KEYS[1]) or 0, of(2, 'ZCARD', KEYS[2]) or 0, of(3, 'ZCARD', KEYS[3]) or 0,
  of(4, 'LLEN', KEYS[4]) or 0, of(5, 'ZCARD', KEYS[5]) or 0, age,
}
for index = 1, #KEYS do
  if damaged[index] then counts[#counts + 1] = KEYS[index] end
end
return counts
