-- Adds to counts, each of one window. A window begins with the first addition to its key.
-- KEYS: one per count. ARGV: length of a window in ms, then the amount for each key, at least 1.
-- Returns, per key: the count, the rest of its window in ms, and 1 if the count was damaged, else 0.
-- A damaged count has another type, is no count, or has a key that never expires or expires after the window. It starts
-- again with the amount.
local window = tonumber(ARGV[1])
local reply = {}
for i, key in ipairs(KEYS) do
  local amount = tonumber(ARGV[i + 1])
  local count, rest = redis.pcall('INCRBY', key, amount), redis.call('PTTL', key)
  local is_new = count == amount and rest == -1
  local is_damaged = not is_new and (type(count) ~= 'number' or count < amount or rest < 0 or rest > window)
  if is_new or is_damaged then
    redis.call('SET', key, amount, 'PX', window)
    count, rest = amount, window
  end
  reply[3 * i - 2], reply[3 * i - 1], reply[3 * i] = count, rest, is_damaged and 1 or 0
end
return reply
