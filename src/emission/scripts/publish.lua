-- Confirms and publishes live snapshots of one company; those whose order token has moved since their claim are
-- refused, as are all that were claimed in another epoch: then Redis has lost what was confirmed since, and an order
-- token may be back. KEYS: position, log, then one order key per message.
-- ARGV: read id, fresh epoch, position ms, log ms, order ms, log length, channel, claimed epoch; then nine per message:
-- claimed token, event, appointment id, emission id, updatedAt (ms), status, references, head, tail.
-- Returns the epoch, then (offset, gateways) per message; offset 0 where refused.
local FIELDS = 9
local read_id = ARGV[1]
local epoch, offset = current_position(KEYS[1], KEYS[2], ARGV[2], ARGV[3])
local passes, count = {}, 0
for i = 3, #KEYS do
  local token = epoch == ARGV[8] and redis.call('HGET', KEYS[i], 'token')
  passes[i] = token and (token == ARGV[FIELDS * (i - 2)] or token == read_id)
  if passes[i] then
    count = count + 1
  end
end
if count > 0 then
  -- Before the log: a PUBLISH that is refused ends this script but undoes nothing, and the next offset must be free.
  redis.call('HSET', KEYS[1], 'offset', offset + count)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local answer = { epoch }
for i = 3, #KEYS do
  local arg = FIELDS * (i - 2)
  if passes[i] then
    offset = offset + 1
    redis.call('HSET', KEYS[i], 'token', read_id, 'updatedAt', ARGV[arg + 4], 'status', ARGV[arg + 5],
      'references', ARGV[arg + 6])
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
    redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[6], offset .. '-0',
      'event', ARGV[arg + 1], 'appointmentId', ARGV[arg + 2], 'emissionId', ARGV[arg + 3])
    -- msgpack: 16 characters of epoch, then the key "offset" and an unsigned 64-bit number
    local message = ARGV[arg + 7] .. '\176' .. epoch .. '\166offset\207' .. struct.pack('>I8', offset) .. ARGV[arg + 8]
    answer[#answer + 1] = offset
    answer[#answer + 1] = redis.call('PUBLISH', ARGV[7], message)
  else
    answer[#answer + 1] = 0
    answer[#answer + 1] = 0
  end
end
if count > 0 then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return answer
