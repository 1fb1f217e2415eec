-- Marks UIDs as in flight. Marks of another epoch are void.
-- KEYS: marks (zset, score = deadline in ms), epoch   ARGV: epoch, ttl_ms, uid...
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local deadline = string.format('%.0f', now + ARGV[2])
if redis.call('GET', KEYS[2]) ~= ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local scored = {}
for i = 3, #ARGV do
  scored[#scored + 1] = deadline
  scored[#scored + 1] = ARGV[i]
end
redis.call('ZADD', KEYS[1], unpack(scored))
local ttl = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ttl))
redis.call('SET', KEYS[2], ARGV[1], 'PX', string.format('%.0f', ttl))
return 1
