-- The company's head, and what its log holds after a place.
-- KEYS: position, log. ARGV: fresh epoch, position ms, epoch asked for ('' for the head alone), offset, most entries.
-- Returns epoch, offset, verdict ('ok', 'epoch', 'trimmed', 'too-many', 'invalid' for a log that cannot be understood),
-- 1 where the position was damaged, then (event, appointment id, emission id) each.
local epoch, offset, is_damaged = current_position(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
local from = tonumber(ARGV[4])
local function answer(verdict)
  return { epoch, offset, verdict, is_damaged }
end
if ARGV[3] == '' then
  return answer('ok')
end
if ARGV[3] ~= epoch or from > offset then
  return answer('epoch')
end
if from == offset then
  return answer('ok')
end
if offset - from > tonumber(ARGV[5]) then
  return answer('too-many')
end
local entries = of_own_type('XRANGE', KEYS[2], (from + 1) .. '-0', '+')
if not entries then
  return answer('invalid')
end
if #entries ~= offset - from then
  return answer(#entries > offset - from and 'invalid' or 'trimmed')
end
local found = answer('ok')
for i, entry in ipairs(entries) do
  local fields = entry[2]
  local is_ours = entry[1] == (from + i) .. '-0' and #fields == 6
    and fields[1] == 'event' and fields[3] == 'appointmentId' and fields[5] == 'emissionId'
  if not is_ours then
    return answer('invalid')
  end
  found[#found + 1] = fields[2]
  found[#found + 1] = fields[4]
  found[#found + 1] = fields[6]
end
return found
