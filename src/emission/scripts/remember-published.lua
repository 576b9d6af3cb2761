-- Keeps the companies of published appointments. Keys of another type, which another program wrote, are replaced.
-- KEYS: the set of companies, then one bucket per appointment. ARGV: lifetime of the buckets, lifetime of the set, in ms; then
-- two per bucket: appointment id, company id. Returns the keys that were replaced.
local replaced = {}
local function write(command, key, ...)
  if of_own_type(command, key, ...) then
    return
  end
  redis.call('DEL', key)
  redis.call(command, key, ...)
  replaced[#replaced + 1] = key
end
for i = 2, #KEYS do
  local appointment_id, company_id = ARGV[2 * i - 1], ARGV[2 * i]
  write('HSET', KEYS[i], appointment_id, company_id)
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
  write('ZADD', KEYS[1], 0, company_id)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return replaced
