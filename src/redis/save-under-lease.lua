-- After src/redis/current-history.lua. Saves fields of a hash and renews the lease, unless the lease is lost or the history
-- of Redis changed: in that case jobs that the owner added may be gone too. KEYS: lock, hash. ARGV: owner, lifetime of the
-- lock in ms, history when the lease was acquired, then fields and values. Returns 1 if they were saved.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] or current_history() ~= ARGV[3] then
  return 0
end
if #ARGV > 3 then
  local saved = redis.pcall('HSET', KEYS[2], unpack(ARGV, 4))
  if type(saved) == 'table' then
    -- Another type: another program wrote it, so replace it. Any other error is raised by the next call.
    if string.find(saved.err, 'WRONGTYPE', 1, true) then
      redis.call('DEL', KEYS[2])
    end
    redis.call('HSET', KEYS[2], unpack(ARGV, 4))
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
