-- Included before the other scripts. Gives the company's epoch and offset. A new epoch begins where offsets could be
-- used twice: there is no position, or it was kept in another history of Redis. Redis names a history by
-- `master_replid`: it is another one after each restart and each promotion, also where that leads back to a server
-- that was the master before.
local function current_position(position_key, log_key, fresh_epoch, lifetime_ms)
  local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  local kept = redis.call('HMGET', position_key, 'epoch', 'offset', 'history')
  if kept[1] and kept[3] == history then
    return kept[1], tonumber(kept[2])
  end
  redis.call('DEL', log_key)
  -- `run` is what processes of the first version compare, beside which we may work during an upgrade.
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  redis.call('HSET', position_key, 'epoch', fresh_epoch, 'offset', 0, 'read', 0, 'history', history, 'run', run)
  redis.call('PEXPIRE', position_key, lifetime_ms)
  return fresh_epoch, 0
end
