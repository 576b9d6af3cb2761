-- Adds to counts, each of one window. A window begins with the first addition to its key.
-- KEYS: one per count. ARGV: length of a window in ms, then the amount for each key.
-- Returns, per key, the count and the rest of its window in ms.
-- A count that another program damaged begins anew: one of another type, or whose key has no end or a later one.
local window = tonumber(ARGV[1])
local counts = {}
for i, key in ipairs(KEYS) do
  local amount = tonumber(ARGV[i + 1])
  local count, rest = redis.pcall('INCRBY', key, amount), redis.call('PTTL', key)
  if type(count) ~= 'number' or count < amount or rest < 0 or rest > window then
    redis.call('SET', key, amount, 'PX', window)
    count, rest = amount, window
  end
  counts[2 * i - 1], counts[2 * i] = count, rest
end
return counts
