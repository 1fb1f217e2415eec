-- Returns when a protocol log ends in ms (0: it is off), and its lines after a number.
-- KEYS: log (hash), lines   ARGV: after, kept_ms
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local over = tonumber(redis.call('HGET', KEYS[1], 'end') or '0')
if over + ARGV[2] <= now then
  redis.call('DEL', KEYS[1], KEYS[2])
  return {'0'}
end
if over <= now then over = 0 end
local reply = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf')
table.insert(reply, 1, string.format('%.0f', over))
return reply
