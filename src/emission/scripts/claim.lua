-- Gives each appointment's order token. Where there is none it creates a random one, so that "absent" never matches.
-- KEYS: order keys of one company. ARGV: lifetime in ms, then one random token per key.
local tokens = {}
for i, key in ipairs(KEYS) do
  local token = redis.call('HGET', key, 'token')
  if not token then
    token = ARGV[i + 1]
    redis.call('HSET', key, 'token', token)
    redis.call('PEXPIRE', key, ARGV[1])
  end
  tokens[i] = token
end
return tokens
