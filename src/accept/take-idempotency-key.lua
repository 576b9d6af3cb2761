-- Marks keys as in progress where they are free. KEYS: one per request. ARGV: lifetime of a mark in s, then one mark per
-- key. Returns, per key, what it holds now: the mark given, or what was there before.
local found = {}
for i, key in ipairs(KEYS) do
  local mark = ARGV[i + 1]
  found[i] = redis.call('SET', key, mark, 'EX', ARGV[1], 'NX') and mark or redis.call('GET', key)
end
return found
