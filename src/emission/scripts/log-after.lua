-- The company's head, and what its log holds after a place.
-- KEYS: position, log. ARGV: fresh epoch, position ms, epoch asked for ('' for the head alone), offset, most entries.
-- Returns epoch, offset, verdict ('ok', 'epoch', 'trimmed', 'too-many'), then (event, appointment id, emission id) each.
local epoch, offset = current_position(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
local from = tonumber(ARGV[4])
if ARGV[3] == '' then
  return { epoch, offset, 'ok' }
end
if ARGV[3] ~= epoch or from > offset then
  return { epoch, offset, 'epoch' }
end
if from == offset then
  return { epoch, offset, 'ok' }
end
if offset - from > tonumber(ARGV[5]) then
  return { epoch, offset, 'too-many' }
end
local entries = redis.call('XRANGE', KEYS[2], (from + 1) .. '-0', '+')
if #entries ~= offset - from then
  return { epoch, offset, 'trimmed' }
end
local answer = { epoch, offset, 'ok' }
for _, entry in ipairs(entries) do
  local fields = entry[2]
  answer[#answer + 1] = fields[2]
  answer[#answer + 1] = fields[4]
  answer[#answer + 1] = fields[6]
end
return answer
