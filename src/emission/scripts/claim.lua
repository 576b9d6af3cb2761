-- Returns the company's epoch, and for each appointment its order token and the references of its last published snapshot.
-- A missing token is created with the random value, so "absent" never matches. A key of another type than ours is deleted
-- first: a worker that had claimed its token reads again.
-- KEYS: position, log, then order keys. ARGV: fresh epoch, position ms, order ms, random token.
-- Returns the epoch, the keys that were damaged, then (token, references) per order key.
local epoch, _, is_damaged = current_position(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
local damaged = is_damaged == 1 and { KEYS[1] } or {}
local answer = { epoch, damaged }
for i = 3, #KEYS do
  local kept = of_own_type('HMGET', KEYS[i], 'token', 'references')
  if not kept then
    damaged[#damaged + 1] = KEYS[i]
    redis.call('DEL', KEYS[i])
    kept = {}
  end
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
