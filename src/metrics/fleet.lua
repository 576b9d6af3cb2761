-- Redis' time, the processes alive, and how many companies they hold together.
-- KEYS[1] processes by last heartbeat, KEYS[2] what each said
-- ARGV[1] TTL in ms, [2] time in ms or '' for Redis' own, [3] start of the keys of companies (same hash tag)
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local beats, sketches = {}, {}
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%d', now - ARGV[1]), '+inf', 'WITHSCORES')
for i = 1, #live, 2 do
  local said = redis.call('HGET', KEYS[2], live[i])
  if said then
    table.insert(beats, { said, string.format('%d', now - live[i + 1]) })
    table.insert(sketches, ARGV[3] .. live[i])
  end
end
local companies = 0
if #sketches > 0 then companies = redis.call('PFCOUNT', unpack(sketches)) end
return { string.format('%d', now), companies, beats }
