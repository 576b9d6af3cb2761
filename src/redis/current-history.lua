-- Included before scripts that must detect a restart or a failover of Redis.

-- Names the present history of Redis: `master_replid` changes at each restart and each promotion, also if a promotion
-- leads back to an earlier master. A server that hides it usually has a `run_id`, which changes at each restart. If a
-- server hides both, a restart cannot be detected.
local function current_history()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
    or string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
    or 'unknown'
end
