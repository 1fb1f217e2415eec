-- Notes in windows that something happened now.
-- KEYS: windows (zset, score = when in ms)   ARGV: span_ms, id of what happened
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - ARGV[1]))
  redis.call('ZADD', key, string.format('%.0f', now), ARGV[2])
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
