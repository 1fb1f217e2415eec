package lease

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed lua/heartbeat.lua
	heartbeatLua string
	//go:embed lua/acquire.lua
	acquireLua string
	//go:embed lua/renew.lua
	renewLua string
	//go:embed lua/release.lua
	releaseLua string
	//go:embed lua/mark.lua
	markLua string
	//go:embed lua/marked.lua
	markedLua string
	//go:embed lua/count.lua
	countLua string
	//go:embed lua/enter.lua
	enterLua string
	//go:embed lua/stay.lua
	stayLua string
	//go:embed lua/switch.lua
	switchLua string
	//go:embed lua/switched.lua
	switchedLua string
	//go:embed lua/append.lua
	appendLua string
	//go:embed lua/protocol.lua
	protocolLua string
	//go:embed lua/lately.lua
	latelyLua string
	//go:embed lua/happened.lua
	happenedLua string
)

var (
	heartbeatScript = redis.NewScript(heartbeatLua)
	acquireScript   = redis.NewScript(acquireLua)
	renewScript     = redis.NewScript(renewLua)
	releaseScript   = redis.NewScript(releaseLua)
	markScript      = redis.NewScript(markLua)
	markedScript    = redis.NewScript(markedLua)
	countScript     = redis.NewScript(countLua)
	enterScript     = redis.NewScript(enterLua)
	stayScript      = redis.NewScript(stayLua)
	switchScript    = redis.NewScript(switchLua)
	switchedScript  = redis.NewScript(switchedLua)
	appendScript    = redis.NewScript(appendLua)
	protocolScript  = redis.NewScript(protocolLua)
	latelyScript    = redis.NewScript(latelyLua)
	happenedScript  = redis.NewScript(happenedLua)
)
