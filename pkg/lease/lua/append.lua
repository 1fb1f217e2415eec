-- Appends lines to a protocol log that is on. Their numbers ascend, also over a
-- flush: they begin with the time in microseconds.
-- KEYS: switches, lines (zset, score = number)   ARGV: mailbox, most lines, kept_ms, line...
-- Returns how many were taken: 0 when the log is off.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local over = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not over or tonumber(over) <= now then return 0 end
local newest = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
local number = math.max(tonumber(newest[2] or '0') + 1, t[1] * 1000000 + t[2])
for i = 4, #ARGV do
  local text = string.format('%.0f', number)
  redis.call('ZADD', KEYS[2], text, text .. ' ' .. ARGV[i])
  number = number + 1
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[2])
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', over - now + ARGV[3]))
return #ARGV - 3
