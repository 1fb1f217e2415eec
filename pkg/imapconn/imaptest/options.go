package imaptest

import (
	"fmt"
	"slices"
	"strings"
)

func (o Options) users() map[string]string {
	if o.Users != nil {
		return o.Users
	}
	users := make(map[string]string)
	for i := 1; i <= 9; i++ {
		users[fmt.Sprintf("u%d", i)] = fmt.Sprintf("pw%d", i)
	}
	return users
}

func contains(list []string, s string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return strings.EqualFold(e, s) })
}
