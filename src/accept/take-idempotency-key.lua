-- Takes keys for requests. A key's record is one of
--   busy <body hash> <nonce> <owner> <until, ms>   a request is under way, or its process died after `until`
--   open <nonce>                                   a request failed, but may have enqueued something
--   done <body hash> <nonce>                       a request was accepted
-- The nonce lives as long as the record: all requests under it give the same emission ids, those after it others.
-- KEYS: one per request. ARGV: lifetime of a record in s, of a request in ms, then (body hash, new id) per key.
-- Returns, per key: 'done <nonce>', 'busy', 'reused', or 'taken <how> <record>' where how is new, again or damaged.
local lifetime, busy_ms = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Gives state, body hash, nonce and the end of a busy record; nil where the record cannot be understood.
local function parse(key)
  local kept = redis.pcall('GET', key)
  if type(kept) == 'table' or redis.call('PTTL', key) == -1 then return nil end
  local body, nonce, ends = string.match(kept, '^busy (%x+) (%x+) %x+ (%d+)$')
  if nonce then return 'busy', body, nonce, tonumber(ends) end
  nonce = string.match(kept, '^open (%x+)$')
  if nonce then return 'open', '', nonce end
  body, nonce = string.match(kept, '^done (%x+) (%x+)$')
  if nonce then return 'done', body, nonce end
end

local answer = {}
for i, key in ipairs(KEYS) do
  local body, id = ARGV[2 * i + 1], ARGV[2 * i + 2]
  local nonce, how = id, 'new'
  local said
  if redis.call('EXISTS', key) == 1 then
    local state, kept_body, kept_nonce, ends = parse(key)
    -- An end that lies too far ahead was noted before Redis' clock was set back.
    local is_busy = state == 'busy' and ends > now and ends <= now + busy_ms
    if not state then
      how = 'damaged'
    elseif (is_busy or state == 'done') and kept_body ~= body then
      said = 'reused'
    elseif is_busy then
      said = 'busy'
    elseif state == 'done' then
      said = 'done ' .. kept_nonce
    else
      nonce, how = kept_nonce, 'again'
    end
  end
  if not said then
    local record = string.format('busy %s %s %s %.0f', body, nonce, id, now + busy_ms)
    redis.call('SET', key, record, 'EX', lifetime)
    said = 'taken ' .. how .. ' ' .. record
  end
  answer[i] = said
end
return answer
