-- Takes the leases that are free or already ours.
-- KEYS: own (resource -> fence|expiry|owner), fence (resource -> last fence)
-- ARGV: owner, ttl_ms, resource...   Returns a fence per resource; "0": someone else's.
-- A fence is max(last + 1, now), so it grows even when everything was flushed.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local expiry = string.format('%.0f', now + ARGV[2])
local owned = redis.call('HMGET', KEYS[1], unpack(ARGV, 3))
local last = redis.call('HMGET', KEYS[2], unpack(ARGV, 3))
local own, fence, out = {}, {}, {}
for i, v in ipairs(owned) do
  local resource, f, e, o = ARGV[i + 2], nil, nil, nil
  if v then f, e, o = string.match(v, '^(%d+)|(%d+)|(.*)$') end
  if o ~= ARGV[1] and o and tonumber(e) > now then
    f = '0'
  else
    if o ~= ARGV[1] or tonumber(e) <= now then
      f = string.format('%.0f', math.max(tonumber(last[i] or '0') + 1, now))
      fence[#fence + 1] = resource
      fence[#fence + 1] = f
    end
    own[#own + 1] = resource
    own[#own + 1] = f .. '|' .. expiry .. '|' .. ARGV[1]
  end
  out[i] = f
end
if #fence > 0 then redis.call('HSET', KEYS[2], unpack(fence)) end
if #own > 0 then redis.call('HSET', KEYS[1], unpack(own)) end
return out
