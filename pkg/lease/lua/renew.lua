-- Extends leases that are still the caller's: the record has its fence, or it
-- is gone (flushed) and nobody got a newer fence since.
-- KEYS: own, fence   ARGV: owner, ttl_ms, then resource, fence for each
-- Returns 1 per renewed lease, 0 per lost one.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local expiry = string.format('%.0f', now + ARGV[2])
local names = {}
for i = 3, #ARGV, 2 do names[#names + 1] = ARGV[i] end
local owned = redis.call('HMGET', KEYS[1], unpack(names))
local last = redis.call('HMGET', KEYS[2], unpack(names))
local own, fence, out = {}, {}, {}
for i, resource in ipairs(names) do
  local mine = ARGV[2 * i + 2]
  local kept
  if owned[i] then
    local f, _, o = string.match(owned[i], '^(%d+)|(%d+)|(.*)$')
    kept = o == ARGV[1] and f == mine
  else
    kept = tonumber(last[i] or '0') <= tonumber(mine)
  end
  if kept then
    own[#own + 1] = resource
    own[#own + 1] = mine .. '|' .. expiry .. '|' .. ARGV[1]
    fence[#fence + 1] = resource
    fence[#fence + 1] = mine
  end
  out[i] = kept and 1 or 0
end
if #own > 0 then
  redis.call('HSET', KEYS[1], unpack(own))
  redis.call('HSET', KEYS[2], unpack(fence))
end
return out
