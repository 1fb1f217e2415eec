package console

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"reflect"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	schema "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// settingText writes a setting for people.
func settingText(doc config.Mailbox, path string, folders folderPicker) string {
	text := ""
	settings(&doc, func(p string, v reflect.Value) {
		if p != path {
			return
		}
		switch {
		case v.Kind() == reflect.Slice:
			var names []string
			for _, id := range v.Interface().([]string) {
				names = append(names, folders.name(id))
			}
			text = strings.Join(names, ", ")
		case v.Kind() == reflect.Bool:
			text = map[bool]string{true: "on", false: "off"}[v.Bool()]
		case isSize(path):
			text = sizeText(v.Int())
		case v.CanInt():
			text = countText(v.Int())
		default:
			text = v.String()
		}
	})
	switch {
	case strings.HasSuffix(path, ".port"):
		text = strings.ReplaceAll(text, ",", "")
	case path == "max_idle_seconds":
		text += " seconds"
	case path == "unmatched" && text != schema.UnmatchedInvalid:
		text = "catch-all: " + folders.name(text)
	case strings.HasSuffix(path, ".ca"):
		text = authorityText(text)
	}
	return text
}

// authorityText names the certificates of an authority.
func authorityText(text string) string {
	var names []string
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		sum := sha256.Sum256(block.Bytes)
		name := "SHA-256 " + hex.EncodeToString(sum[:6])
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			name = c.Subject.String() + ", until " + c.NotAfter.UTC().Format(time.DateOnly) + ", " + name
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "that of the system"
	}
	return strings.Join(names, "; ")
}

// readOnly shows what is set to those who may not change it.
func (e mailboxEditor) readOnly() error {
	r, doc := e.r, e.saved.Document
	folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return err
	}
	v := mailboxSettings{
		Header: header{Title: "Mailbox: " + doc.Name, Back: &link{doc.Name, r.path("mailboxes", doc.ID)}, Text: "Your role can read the settings, not change them."},
		Groups: settingsOf(e.saved, newFolderPicker("", folders.Folders, doc.Folders)),
	}
	return r.page("mailbox-settings", page{Title: v.Header.Title, Section: sectionRouting}, v)
}

// mailboxSettings is the page of what is set.
type mailboxSettings struct {
	Header header
	Groups []settingsGroup
}

// A settingsGroup is a group of settings with their values.
type settingsGroup struct {
	Title string
	Facts []fact
}

// settingsOf returns every setting of a mailbox, as it is in force.
func settingsOf(m operation.Mailbox, folders folderPicker) []settingsGroup {
	var groups []settingsGroup
	for _, g := range mailboxFields(nil, m.Document.ID) {
		group := settingsGroup{Title: g.Title}
		for _, f := range g.Fields {
			switch {
			case f.Name == dateField:
			case f.Name == "id":
				group.Facts = append(group.Facts, fact{Name: f.Label, Text: m.Document.ID, Code: true})
			case f.Name == "password":
				text := "not set"
				if m.HasPassword {
					text = "stored, never shown"
				}
				group.Facts = append(group.Facts, fact{Name: f.Label, Text: text})
			default:
				text := settingText(m.Document, f.Name, folders)
				group.Facts = append(group.Facts, fact{Name: f.Label, Text: text, Code: f.Code && f.Widget == "" && text != ""})
			}
		}
		groups = append(groups, group)
	}
	return groups
}
