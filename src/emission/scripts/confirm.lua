-- Confirms snapshots for a list or a replay of one company: sets their order tokens and increments `read`, so (offset,
-- read) orders them among the published ones. Claims of another epoch are refused: Redis may have lost a later
-- confirmation and restored an old order token.
-- KEYS: position, log, then order keys. ARGV: read id, fresh epoch, position ms, order ms, then the claimed
-- tokens, then the claimed epoch. Returns epoch, offset, read, then 1 or 0 per order key.
local read_id = ARGV[1]
local epoch, offset = current_position(KEYS[1], KEYS[2], ARGV[2], ARGV[3])
local read = redis.call('HINCRBY', KEYS[1], 'read', 1)
local answer = { epoch, offset, read }
for i = 3, #KEYS do
  -- A key of another type has no token. The next claim replaces it.
  local token = epoch == ARGV[#ARGV] and of_own_type('HGET', KEYS[i], 'token')
  local passes = token and (token == ARGV[i + 2] or token == read_id)
  if passes then
    redis.call('HSET', KEYS[i], 'token', read_id)
    redis.call('PEXPIRE', KEYS[i], ARGV[4])
  end
  answer[#answer + 1] = passes and 1 or 0
end
return answer
