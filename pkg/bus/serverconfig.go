package bus

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ServerConfig renders the configuration of a stand-alone nats-server whose
// users have the Permissions of the services and nothing else. The map gives
// each service's password: a bcrypt hash, or a reference to an environment
// variable of the server, "$NAME". A service without a password gets no user.
//
// Programs of others that ask for changes use the Configurator, or each a user
// of its own, named "configurator-<name>" in the map: users who share one can
// read each other's answers.
func ServerConfig(passwords map[string]string) string {
	var b strings.Builder
	b.WriteString(serverConfigHead)
	b.WriteString("authorization {\n  users = [\n")
	permissions := Permissions()
	for _, name := range slices.Sorted(maps.Keys(passwords)) {
		permission, ok := permissions[name]
		if strings.HasPrefix(name, Configurator+"-") && validName.MatchString(name) {
			permission, ok = configuratorPermission(name), true
		}
		if ok {
			writeUser(&b, name, passwords[name], permission)
		}
	}
	b.WriteString("  ]\n}\n")
	return b.String()
}

const serverConfigHead = `# Rendered from mailyard's bus.ServerConfig: change it there.
listen: "0.0.0.0:4222"
http: "127.0.0.1:8222"
max_payload: 1MB
jetstream {
  store_dir: "/data"
  sync_interval: "1s"
}
`

func writeUser(b *strings.Builder, name, password string, p Permission) {
	fmt.Fprintf(b, "    {\n      user: %s\n      password: %s\n      permissions {\n", strconv.Quote(name), passwordValue(password))
	writeSubjects(b, "publish", p.Publish)
	writeSubjects(b, "subscribe", p.Subscribe)
	if p.Responses {
		b.WriteString("        allow_responses: true\n")
	}
	b.WriteString("      }\n    }\n")
}

func writeSubjects(b *strings.Builder, what string, subjects []string) {
	fmt.Fprintf(b, "        %s: [\n", what)
	for _, s := range subjects {
		fmt.Fprintf(b, "          %s\n", strconv.Quote(s))
	}
	b.WriteString("        ]\n")
}

// passwordValue leaves a reference to a variable bare, as it must be, and
// quotes everything else. A bcrypt hash begins with "$2".
func passwordValue(s string) string {
	if strings.HasPrefix(s, "$") && !strings.HasPrefix(s, "$2") {
		return s
	}
	return strconv.Quote(s)
}
