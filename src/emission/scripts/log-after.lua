-- Returns the head of a company log, and its entries after a position.
-- KEYS: position, log. ARGV: fresh epoch, position ms, the requested epoch ('' for the head alone), the requested offset,
-- maximum number of entries. Returns epoch, offset, status ('ok', 'epoch', 'trimmed', 'too-many', or 'invalid' for a log
-- that cannot be parsed), 1 if the position was damaged, else 0, then (event, appointment id, emission id) per entry.
local epoch, offset, is_damaged = current_position(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
local from = tonumber(ARGV[4])
local function answer(status)
  return { epoch, offset, status, is_damaged }
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
