-- Included before the other scripts. Gives the company's epoch and offset. A new epoch begins where offsets could be
-- used twice: there is no position, or it was kept by another run of Redis (restart, failover).
local function current_position(position_key, log_key, fresh_epoch, lifetime_ms)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local kept = redis.call('HMGET', position_key, 'epoch', 'offset', 'run')
  if kept[1] and kept[3] == run then
    return kept[1], tonumber(kept[2])
  end
  redis.call('DEL', log_key)
  redis.call('HSET', position_key, 'epoch', fresh_epoch, 'offset', 0, 'read', 0, 'run', run)
  redis.call('PEXPIRE', position_key, lifetime_ms)
  return fresh_epoch, 0
end
