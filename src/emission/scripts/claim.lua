-- Gives the company's epoch, and each appointment's order token. Where there is none it creates a random one, so that
-- "absent" never matches.
-- KEYS: position, log, then order keys. ARGV: fresh epoch, position ms, order ms, then one random token per order key.
local answer = { (current_position(KEYS[1], KEYS[2], ARGV[1], ARGV[2])) }
for i = 3, #KEYS do
  local token = redis.call('HGET', KEYS[i], 'token')
  if not token then
    token = ARGV[i + 1]
    redis.call('HSET', KEYS[i], 'token', token)
    redis.call('PEXPIRE', KEYS[i], ARGV[3])
  end
  answer[i - 1] = token
end
return answer
