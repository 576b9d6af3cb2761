-- Returns Redis' time, the heartbeats of the running processes, and the number of their companies.
-- KEYS[1] processes by last heartbeat, KEYS[2] heartbeat of each
-- ARGV[1] TTL in ms, [2] time in ms or '' for Redis' own, [3] start of the keys of companies (same hash tag)
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local beats, sketches = {}, {}
-- Keys of another type are replaced by the next heartbeat.
local live = redis.pcall('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now - ARGV[1]), '+inf', 'WITHSCORES')
if live.err then
  if not string.find(live.err, 'WRONGTYPE', 1, true) then return live end
  live = {}
end
for i = 1, #live, 2 do
  local said = redis.pcall('HGET', KEYS[2], live[i])
  local age = now - (tonumber(live[i + 1]) or 0)
  -- A heartbeat that lies ahead was written by another program, or before Redis' clock was set back.
  if type(said) == 'string' and age > -ARGV[1] then
    table.insert(beats, { said, string.format('%.0f', age) })
    table.insert(sketches, ARGV[3] .. live[i])
  end
end
local companies = 0
if #sketches > 0 then
  local counted = redis.pcall('PFCOUNT', unpack(sketches))
  -- A key that is no HyperLogLog lasts until the next heartbeat, which replaces it.
  companies = type(counted) == 'number' and counted or 0
end
return { string.format('%.0f', now), companies, beats }
