-- Gives the company's epoch, and of each appointment its order token and what it referred to when it was published last.
-- Where there is no token it writes the random one, so that "absent" never matches.
-- KEYS: position, log, then order keys. ARGV: fresh epoch, position ms, order ms, random token.
local answer = { (current_position(KEYS[1], KEYS[2], ARGV[1], ARGV[2])) }
for i = 3, #KEYS do
  local kept = redis.call('HMGET', KEYS[i], 'token', 'references')
  local token = kept[1]
  if not token then
    token = ARGV[4]
    redis.call('HSET', KEYS[i], 'token', token)
    redis.call('PEXPIRE', KEYS[i], ARGV[3])
  end
  answer[#answer + 1] = token
  answer[#answer + 1] = kept[2] or ''
end
return answer
