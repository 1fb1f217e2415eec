-- Gives leases back, unless someone else took them over.
-- KEYS: own   ARGV: owner, then resource, fence for each
for i = 2, #ARGV, 2 do
  local v = redis.call('HGET', KEYS[1], ARGV[i])
  if v then
    local f, _, o = string.match(v, '^(%d+)|(%d+)|(.*)$')
    if o == ARGV[1] and f == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
  end
end
return 1
