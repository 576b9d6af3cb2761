-- Replaces the record of a request in progress, or removes it, if the request still owns it.
-- KEYS: the key. ARGV: owner, lifetime in s, the new record or ''.
local record = redis.pcall('GET', KEYS[1])
if type(record) ~= 'string' or string.match(record, '^busy %x+ %x+ (%x+) ') ~= ARGV[1] then
  return 0
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[2])
end
return 1
