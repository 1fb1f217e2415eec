-- Takes a permit of a budget, or a place in its queue. First come, first served.
-- KEYS: holders (zset, score = deadline), queue (zset, score = ticket), waiters (zset, score = deadline)
-- ARGV: permit, limit, ttl_ms, patience_ms   Returns -1: granted, else how many wait before.
-- A waiter that did not ask again within the patience loses its place.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local me = ARGV[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now), 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
if redis.call('ZSCORE', KEYS[1], me) then return -1 end
if not redis.call('ZSCORE', KEYS[2], me) then
  local newest = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
  redis.call('ZADD', KEYS[2], string.format('%.0f', tonumber(newest[2] or '0') + 1), me)
end
local rank = redis.call('ZRANK', KEYS[2], me)
if redis.call('ZCARD', KEYS[1]) + rank < tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[2], me)
  redis.call('ZREM', KEYS[3], me)
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), me)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return -1
end
redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[4]), me)
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return rank
