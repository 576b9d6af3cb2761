-- Takes keys for requests. A key's record is one of
--   busy <body hash> <nonce> <owner> <until, ms> <items>   a request is in progress, or its process died after `until`
--   open <body hash> <nonce> <items>                       a request failed, but may have enqueued something
--   done <body hash> <nonce> <items>                       a request was accepted
-- The nonce lives as long as the record: all its requests give the same emission ids, later requests other ids.
-- Items: the indices of the items of a batch that are in the queue, as hexadecimal bits.
-- KEYS: one per request. ARGV: lifetime of a record in s, of a request in ms, then (body hash, new id) per key.
-- Returns, per key: 'done <nonce> <items>', 'busy', 'reused', or 'taken <how> <record>' where how is new, again or damaged.
local lifetime, busy_ms = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Returns state, body hash, nonce, items, and the end of a busy record; nil if the record is damaged.
local function parse(key)
  local kept = redis.pcall('GET', key)
  if type(kept) == 'table' or redis.call('PTTL', key) == -1 then return nil end
  local body, nonce, ends, items = string.match(kept, '^busy (%x+) (%x+) %x+ (%d+) (%x+)$')
  if body then return 'busy', body, nonce, items, tonumber(ends) end
  local state
  state, body, nonce, items = string.match(kept, '^(%a+) (%x+) (%x+) (%x+)$')
  if state == 'open' or state == 'done' then return state, body, nonce, items end
end

local answer = {}
for i, key in ipairs(KEYS) do
  local body, id = ARGV[2 * i + 1], ARGV[2 * i + 2]
  local nonce, how, items = id, 'new', '00'
  local reply
  if redis.call('EXISTS', key) == 1 then
    local state, kept_body, kept_nonce, kept_items, ends = parse(key)
    -- An end too far ahead was written before Redis' clock was set back.
    local is_busy = state == 'busy' and ends > now and ends <= now + busy_ms
    if not state then
      how = 'damaged'
    elseif (is_busy or state == 'done') and kept_body ~= body then
      reply = 'reused'
    elseif is_busy then
      reply = 'busy'
    elseif state == 'done' then
      reply = 'done ' .. kept_nonce .. ' ' .. kept_items
    else
      nonce, how = kept_nonce, 'again'
      -- Another body has other items, and other emission ids.
      if kept_body == body then items = kept_items end
    end
  end
  if not reply then
    local record = string.format('busy %s %s %s %.0f %s', body, nonce, id, now + busy_ms, items)
    redis.call('SET', key, record, 'EX', lifetime)
    reply = 'taken ' .. how .. ' ' .. record
  end
  answer[i] = reply
end
return answer
