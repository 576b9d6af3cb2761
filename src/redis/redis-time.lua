-- Returns the time of the node that has the key: seconds and microseconds. KEYS: any key of the queue; it is not read.
return redis.call('TIME')
