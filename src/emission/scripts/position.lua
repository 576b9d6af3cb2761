-- Included before the other scripts, after src/redis/current-history.lua.

-- Runs a command on a key that another program may have written. Returns nil if the key has another type than ours.
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

-- True for a count that a script can increment. Lua writes numbers of more digits with an exponent.
local function is_count(text)
  return text and #text <= 13 and string.find(text, '^%d+$') ~= nil
end

local function begin_epoch(position_key, log_key, fresh_epoch, lifetime_ms, history)
  redis.call('DEL', log_key, position_key)
  redis.call('HSET', position_key, 'epoch', fresh_epoch, 'offset', 0, 'read', 0, 'history', history)
  redis.call('PEXPIRE', position_key, lifetime_ms)
end

-- Returns the company's epoch and offset, and 1 if the position was damaged, else 0. A new epoch begins if offsets could
-- be assigned twice: the position is missing, cannot be parsed, or was written in another history of Redis.
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
