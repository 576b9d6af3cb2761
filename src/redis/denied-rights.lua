-- Returns those of the command lines in ARGV that the user of this connection may not run, and runs none of them; false before
-- Redis 7, which does not report rights. KEYS: any key of the queue. ARGV: command lines as JSON arrays.
if not redis.acl_check_cmd then return false end
local denied = {}
for _, line in ipairs(ARGV) do
  local known, allowed = pcall(redis.acl_check_cmd, unpack(cjson.decode(line)))
  if not (known and allowed) then denied[#denied + 1] = line end
end
return denied
