-- Renews permits of one budget, also after a flush.
-- KEYS: holders   ARGV: ttl_ms, permit...
local t = redis.call('TIME')
local deadline = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1])
local scored = {}
for i = 2, #ARGV do
  scored[#scored + 1] = deadline
  scored[#scored + 1] = ARGV[i]
end
redis.call('ZADD', KEYS[1], unpack(scored))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
