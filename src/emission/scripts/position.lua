-- Included before the other scripts.

-- A reply where the key may have another type than ours, since another program wrote it: nil for such a key.
local function of_own_type(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then
    return nil
  end
  return redis.call(...)
end

-- A count that another script may go on from. A number of more digits is written with an exponent by Lua.
local function is_count(text)
  return text and #text <= 13 and string.find(text, '^%d+$') ~= nil
end

local function begin_epoch(position_key, log_key, fresh_epoch, lifetime_ms, history)
  redis.call('DEL', log_key, position_key)
  -- `run` is what processes of the first version compare, beside which we may work during an upgrade.
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  redis.call('HSET', position_key, 'epoch', fresh_epoch, 'offset', 0, 'read', 0, 'history', history, 'run', run)
  redis.call('PEXPIRE', position_key, lifetime_ms)
end

local function current_history()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
end

-- Gives the company's epoch and offset, and 1 where the position was damaged, else 0. A new epoch begins where offsets
-- could be used twice: there is no position, it cannot be understood, or it was kept in another history of Redis. Redis
-- names a history by `master_replid`: it is another one after each restart and each promotion, also where that leads
-- back to a server that was the master before.
local function current_position(position_key, log_key, fresh_epoch, lifetime_ms)
  local history = current_history()
  local kept = of_own_type('HMGET', position_key, 'epoch', 'offset', 'history', 'read')
  local is_whole = kept and kept[1] and #kept[1] == #fresh_epoch and is_count(kept[2]) and is_count(kept[4])
  if is_whole and kept[3] == history then
    return kept[1], tonumber(kept[2]), 0
  end
  local is_damaged = not is_whole and redis.call('EXISTS', position_key) == 1
  begin_epoch(position_key, log_key, fresh_epoch, lifetime_ms, history)
  return fresh_epoch, 0, is_damaged and 1 or 0
end
