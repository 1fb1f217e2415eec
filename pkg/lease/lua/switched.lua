-- Returns the mailboxes whose protocol log is on, each with its end in ms.
-- KEYS: switches
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
