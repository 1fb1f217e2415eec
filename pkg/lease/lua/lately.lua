-- Returns how many ms it is until each of the windows has place: 0, they all have.
-- KEYS: windows (zset, score = when in ms)   ARGV: span_ms, then how many each may hold
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local wait = 0
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - ARGV[1]))
  local over = redis.call('ZCARD', key) - ARGV[i + 1]
  if over >= 0 then
    local oldest = redis.call('ZRANGE', key, over, over, 'WITHSCORES')
    wait = math.max(wait, oldest[2] + ARGV[1] - now)
  end
end
return string.format('%.0f', wait)
