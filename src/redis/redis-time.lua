-- Redis' time, of the node that the key lies on. KEYS: any of the queue's; it is not touched. Returns seconds and
-- microseconds.
return redis.call('TIME')
