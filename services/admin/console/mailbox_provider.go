package console

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/provider"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A providerView says which servers an address has.
type providerView struct {
	Message string // nothing is known, or the address is none
	Name    string
	Source  string // where it is known from
	Note    string
	Servers []string
	Values  string // JSON of the form values; "" when there are none to fill in
}

// draftProvider looks up the servers of the address that was typed as Username.
func (c *console) draftProvider(r *request) error {
	address := strings.TrimSpace(r.PostFormValue("username"))
	if !strings.Contains(address, "@") {
		return r.part("mailbox-provider", providerView{Message: "Type an email address as the Username to have its servers found."})
	}
	found, err := r.desk.RecogniseProvider(r.Context(), r.actor, &operation.RecogniseProvider{InTenant: r.inTenant(), Address: address})
	if err != nil {
		return err
	}
	v := providerView{Message: found.Message}
	if s := found.Settings; found.Found && s != nil {
		v, err = providerOf(*s)
	}
	if err != nil {
		return err
	}
	return r.part("mailbox-provider", v)
}

// providerOf shows what is known of a provider.
func providerOf(s provider.Settings) (providerView, error) {
	v := providerView{Name: s.Name, Note: s.Note}
	switch s.Source {
	case provider.SourceKnown:
		v.Source = "known settings of this provider"
	case provider.SourceMX:
		v.Source = "its mail is delivered to this provider (MX record)"
	case provider.SourceSRV:
		v.Source = "the SRV records of the domain"
	case provider.SourceGuess:
		v.Source = "a guess: these names are usual, and exist; test them"
	}
	values := map[string][]string{}
	for _, side := range []struct {
		key, label string
		server     provider.Server
	}{{"imap", "IMAP", s.IMAP}, {"smtp", "SMTP", s.SMTP}} {
		if side.server.Host == "" {
			continue
		}
		port := strconv.Itoa(side.server.Port)
		values[side.key+".host"], values[side.key+".port"], values[side.key+".security"] = []string{side.server.Host}, []string{port}, []string{string(side.server.Security)}
		v.Servers = append(v.Servers, side.label+" "+side.server.Host+", port "+port+", "+string(side.server.Security))
	}
	if len(values) == 0 {
		return v, nil
	}
	raw, err := json.Marshal(values)
	v.Values = string(raw)
	return v, err
}
