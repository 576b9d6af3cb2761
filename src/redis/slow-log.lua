-- Whether the user who asks may read the slow log, and may read the settings that say whether it keeps anything: 1 or 0
-- each. What the server does not know can't be read. Servers before 7 can't tell: 1.
local function may(...)
  if not redis.acl_check_cmd then
    return true
  end
  local is_known, is_allowed = pcall(redis.acl_check_cmd, ...)
  return is_known and is_allowed
end
return {
  (may('SLOWLOG', 'GET') or may('COMMANDLOG', 'GET', '-1', 'slow')) and 1 or 0,
  may('CONFIG', 'GET', '*') and 1 or 0,
}
