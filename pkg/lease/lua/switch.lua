-- Switches a mailbox's protocol log on, or off.
-- KEYS: switches (zset, score = end in ms), log (hash)   ARGV: mailbox, end_ms (0: off), longest_ms, kept_ms
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local over = math.min(tonumber(ARGV[2]), now + ARGV[3])
if over <= now then
  redis.call('ZREM', KEYS[1], ARGV[1])
  over = now
else
  redis.call('ZADD', KEYS[1], string.format('%.0f', over), ARGV[1])
end
redis.call('HSET', KEYS[2], 'end', string.format('%.0f', over))
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', over - now + ARGV[4]))
return string.format('%.0f', over)
