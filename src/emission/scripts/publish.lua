-- Confirms and publishes live snapshots of one company. A snapshot whose order token has changed since its claim is
-- refused. Claims of another epoch are all refused: Redis may have lost a later confirmation and restored an old order
-- token. KEYS: position, log, then one order key per message, then the index of published appointments.
-- ARGV: read id, fresh epoch, ms of position and index, log ms, order ms, log length, channel, claimed epoch; then eleven
-- per message: claimed token, event, appointment id, emission id, updatedAt (ms, or 'deleted'), status, references,
-- digest, head, tail, 1 if the emission may be in the log already. Returns the epoch, 1 if position or log was damaged, else 0, the
-- same for the index, then (offset, gateways) per message; offset 0 if refused, the event in place of gateways if it was published before.
-- If the log accepts no further entry (another program added one with a higher id, or the key has another type), a new
-- epoch begins and all messages are refused, since they were claimed in the old one.
-- Index of the first argument of the message of a key.
local function first_argument(key)
  return 9 + 11 * (key - 3)
end
local read_id = ARGV[1]
local index_key, last = KEYS[#KEYS], #KEYS - 1
local epoch, offset, is_damaged = current_position(KEYS[1], KEYS[2], ARGV[2], ARGV[3])
-- The jobs of a dead worker run again within 15 s: this is enough for 130 emissions a second of one company.
local SEARCHED = 2000
local entry_by_emission
-- Offset and event of an emission that is among the newest entries of the log and was sent, else nil. If the log cannot be read, the
-- emission is published again. An entry above `sent` was not sent: its PUBLISH was refused.
local function published_entry(emission_id)
  if not entry_by_emission then
    entry_by_emission = {}
    local sent = tonumber(of_own_type('HGET', KEYS[1], 'sent') or 0) or 0
    local entries = redis.pcall('XRANGE', KEYS[2], math.max(1, offset - SEARCHED + 1) .. '-0', '+')
    for _, entry in ipairs(entries.err and {} or entries) do
      local entry_offset = tonumber(string.match(entry[1], '^(%d+)-0$'))
      if entry_offset and entry_offset <= sent and entry[2][5] == 'emissionId' then
        entry_by_emission[entry[2][6]] = { entry_offset, entry[2][2] }
      end
    end
  end
  return entry_by_emission[emission_id]
end

local passes, count, published_before = {}, 0, {}
for i = 3, last do
  published_before[i] = ARGV[first_argument(i) + 10] == '1' and published_entry(ARGV[first_argument(i) + 3])
  local token = epoch == ARGV[8] and of_own_type('HGET', KEYS[i], 'token')
  passes[i] = token and (token == ARGV[first_argument(i)] or token == read_id)
  passes[i] = passes[i] and not published_before[i]
  if passes[i] then
    count = count + 1
  end
end
if count > 0 then
  -- Before the log: if a PUBLISH is refused, the script ends without a rollback, and the next offset must be unused.
  redis.call('HSET', KEYS[1], 'offset', offset + count)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
-- Adds one entry. Returns false if the log does not accept it. Only the first entry can fail like this: nothing was sent.
local function append(id, event, appointment_id, emission_id)
  local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '=', ARGV[6], id,
    'event', event, 'appointmentId', appointment_id, 'emissionId', emission_id)
  if type(added) ~= 'table' or not added.err then
    return true
  end
  for _, cause in ipairs({ 'WRONGTYPE', 'equal or smaller', 'exhausted' }) do
    if string.find(added.err, cause, 1, true) then
      return false
    end
  end
  return redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[6], id,
    'event', event, 'appointmentId', appointment_id, 'emissionId', emission_id)
end

local function refuse_all()
  begin_epoch(KEYS[1], KEYS[2], ARGV[2], ARGV[3], current_history())
  local refused = { ARGV[2], 1, 0 }
  for _ = 3, last do
    refused[#refused + 1] = 0
    refused[#refused + 1] = 0
  end
  return refused
end

-- Keeps in the index what is on screens: appointments by the time (ms) of their last publication, without deleted ones.
-- Returns 1 if another program wrote a key of another type, which is replaced, else 0.
local function keep_index(shown, deleted, lifetime_ms)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local is_replaced = not of_own_type('ZREMRANGEBYSCORE', index_key, '-inf', now - lifetime_ms)
  if is_replaced then
    redis.call('DEL', index_key)
  end
  for _, appointment_id in ipairs(shown) do
    redis.call('ZADD', index_key, now, appointment_id)
  end
  for _, appointment_id in ipairs(deleted) do
    redis.call('ZREM', index_key, appointment_id)
  end
  redis.call('PEXPIRE', index_key, lifetime_ms)
  return is_replaced and 1 or 0
end

local answer = { epoch, is_damaged, 0 }
local shown, deleted = {}, {}
for i = 3, last do
  local arg = first_argument(i)
  if passes[i] then
    offset = offset + 1
    if not append(offset .. '-0', ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3]) then
      return refuse_all()
    end
    redis.call('HSET', KEYS[i], 'token', read_id, 'updatedAt', ARGV[arg + 4], 'status', ARGV[arg + 5],
      'references', ARGV[arg + 6], 'digest', ARGV[arg + 7])
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
    -- msgpack: 16 characters of epoch, then the key "offset" and an unsigned 64-bit number
    local message = ARGV[arg + 8] .. '\176' .. epoch .. '\166offset\207' .. struct.pack('>I8', offset) .. ARGV[arg + 9]
    answer[#answer + 1] = offset
    answer[#answer + 1] = redis.call('PUBLISH', ARGV[7], message)
    local kept = ARGV[arg + 1] == 'appointment:deleted' and deleted or shown
    kept[#kept + 1] = ARGV[arg + 2]
  elseif published_before[i] then
    answer[#answer + 1] = published_before[i][1]
    answer[#answer + 1] = published_before[i][2]
  else
    answer[#answer + 1] = 0
    answer[#answer + 1] = 0
  end
end
if count > 0 then
  redis.call('HSET', KEYS[1], 'sent', offset)
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  answer[3] = keep_index(shown, deleted, ARGV[3])
end
return answer
