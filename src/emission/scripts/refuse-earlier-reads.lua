-- If what was published last is still what the caller compared with, replaces the order token: a snapshot that was claimed
-- earlier is refused, and is read again. KEYS: order key. ARGV: field and value that were compared, random token.
-- Returns 1 if it is still the same, else 0.
if of_own_type('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'token', ARGV[3])
return 1
