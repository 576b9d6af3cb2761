-- Adds the counts of one process to those of the fleet. A flush that is sent again is applied once.
-- KEYS[1] the sender's last applied sequence number, KEYS[2] all-time totals
-- ARGV[1] key base, [2] sequence number, [3] its TTL, [4] time in ms or '' for Redis' own,
--     [5] slot width, [6] slot TTL, [7] minute width, [8] minute TTL, all in ms,
--     [9] how many counters; then field, increment, ...; then latency cell, increment, ...
-- Slot and minute keys depend on Redis' clock, so they can't be declared; they share the hash tag of the declared ones.
if tonumber(ARGV[2]) <= tonumber(redis.call('GET', KEYS[1]) or '0') then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])

local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local spans = {
  { string.format('slot:%d', math.floor(now / ARGV[5])), ARGV[6] },
  { string.format('minute:%d', math.floor(now / ARGV[7])), ARGV[8] },
}
local firstCell = 10 + 2 * ARGV[9]

-- A value that another program has damaged starts again at 0. Otherwise every later flush would fail.
local function increase(key, field, by)
  local sum = redis.pcall('HINCRBY', key, field, by)
  if type(sum) ~= 'table' then return end
  if string.find(sum.err, 'WRONGTYPE', 1, true) then
    redis.call('DEL', key)
  elseif string.find(sum.err, 'integer', 1, true) or string.find(sum.err, 'overflow', 1, true) then
    redis.call('HDEL', key, field)
  end
  redis.call('HINCRBY', key, field, by)
end

local function increaseCell(key, cell, by)
  local sum = redis.pcall('BITFIELD', key, 'INCRBY', 'u32', '#' .. cell, by)
  if not sum.err then return end
  if string.find(sum.err, 'WRONGTYPE', 1, true) then redis.call('DEL', key) end
  redis.call('BITFIELD', key, 'INCRBY', 'u32', '#' .. cell, by)
end

for i = 10, firstCell - 1, 2 do increase(KEYS[2], ARGV[i], ARGV[i + 1]) end
for _, span in ipairs(spans) do
  local counts = ARGV[1] .. ':' .. span[1]
  for i = 10, firstCell - 1, 2 do increase(counts, ARGV[i], ARGV[i + 1]) end
  redis.call('PEXPIRE', counts, span[2])

  local latencies = counts .. ':latencies'
  for i = firstCell, #ARGV, 2 do
    increaseCell(latencies, ARGV[i], ARGV[i + 1])
  end
  redis.call('PEXPIRE', latencies, span[2])
end
return 1
