package console

import (
	"net/url"

	"github.com/mailyard/mailyard/pkg/config"
	schema "github.com/mailyard/mailyard/schemas/config"
)

// ID returns the id of the fieldset, which the index of a long form leads to.
func (g fieldset) ID() string { return elementID("section", g.Title) }

// Wrong returns how many problems are in the fieldset.
func (g fieldset) Wrong() int {
	n := 0
	for _, f := range g.Fields {
		n += len(f.Problems)
	}
	return n
}

// mailboxFields returns every setting of a mailbox with what is told about it,
// filled with the values of a form. id is "" for a new mailbox.
func mailboxFields(v url.Values, id string) []fieldset {
	groups := []fieldset{
		{Title: "Basics", Fields: basicFields(id)},
		{Title: "Authentication", Text: "How mailyard signs in, on both servers. An email address as the Username finds the servers below.", Fields: signInFields()},
		{Title: "Incoming", Text: "The IMAP server that mail is taken from.", Fields: serverFields("imap", "IMAP", "993", "imap.example.com",
			"Name or address of the mail server.", "993 is usual with TLS from the first byte, 143 with STARTTLS.")},
		{Title: "Outgoing", Text: "The SMTP server that mail is sent by. Without an address the mailbox does not send.", Fields: serverFields("smtp", "SMTP", "587", "smtp.example.com",
			"Leave it empty if the mailbox does not send.", "587 is usual with STARTTLS, 465 with TLS from the first byte.")},
		{Title: "Limits", Fields: limitFields()},
		{Title: "After import", Text: "What happens on the mail server once a mail is stored, or recorded as invalid. Folder names are as people see them: the prefix and delimiter of the server are added. Folders that are missing are created.", Fields: disposalFields()},
		{Title: "Routing", Text: "Which mail is taken, and how the folders are found that it is meant for.", Fields: routingFields()},
		{Title: "Advanced", Text: "What is seldom changed.", Fields: advancedFields()},
	}
	for g := range groups {
		for i := range groups[g].Fields {
			f := &groups[g].Fields[i]
			switch f.Value = v.Get(f.Name); {
			case f.Widget == widgetPassword:
				f.Value = "" // it is never shown
			case f.Widget == widgetChecks:
				f.Values = v[f.Name]
			case f.Name == "id" && id != "":
				f.Value = id
			}
		}
	}
	return groups
}

func basicFields(id string) []field {
	named := field{Name: "id", Label: "Id", Code: true, Range: "1 to 63 of a-z, 0-9 and -", Help: "Made from the name unless you type one. It never changes later: events and the API name the mailbox by it."}
	if id != "" {
		named = field{Name: "id", Label: "Id", Code: true, Disabled: "Ids never change."}
	}
	return []field{
		{Name: "name", Label: "Name", Required: true, Range: "at most 200 characters", Help: "Identifies the mailbox; unique in the tenant."},
		named,
		{Name: "description", Label: "Description", Wide: true, Range: "at most 2,000 characters", Help: "For people."},
		{Name: "folders", Label: "Folders", Widget: widgetChecks, Wide: true, Help: "Where its mail can belong. Which folder a mail goes to is decided by its recipient addresses."},
		{Name: "enabled", Label: "Enabled", Widget: widgetSwitch, Wide: true, Default: "off", Help: "Whether mailyard takes mail from it."},
	}
}

func serverFields(key, protocol, port, example, host, ports string) []field {
	imap := key == "imap"
	at := map[bool]string{true: "993", false: "465"}[imap]
	return []field{
		{Name: key + ".host", Label: protocol + " address", Required: imap, Placeholder: example, Code: true, Help: host},
		{Name: key + ".port", Label: protocol + " port", Widget: widgetNumber, Required: imap, Default: port, Range: "1 to 65535", Help: ports},
		{Name: key + ".security", Label: protocol + " secure connection type", Widget: widgetRadio, Required: true, Wide: true, Default: "auto", Options: []option{
			{Value: string(schema.SecurityAuto), Label: "auto", Help: "On port " + at + " TLS from the first byte, on any other port STARTTLS. Never clear text."},
			{Value: string(schema.SecurityTLS), Label: "ssl-on-connect", Help: "TLS from the first byte, on any port."},
			{Value: string(schema.SecuritySTARTTLS), Label: "start-tls", Help: "A plain greeting, then STARTTLS at once. Fails if the server does not offer it."},
		}},
	}
}

func signInFields() []field {
	return []field{
		{Name: "username", Label: "Username", Complete: "off", Help: "Usually the whole email address. Unique over all mailboxes of the provider."},
		{Name: "password", Label: "Password", Widget: widgetPassword, Complete: "new-password", Attributes: []pair{{"hx-preserve", "true"}}, Help: "Stored encrypted with the Tenant Encryption Key, and never shown again."},
		{Name: "auth", Label: "Authentication", Widget: widgetRadio, Wide: true, Default: "password", Options: []option{{Value: "password", Label: "Password", Help: "Username and password; for some providers an app password."}}},
	}
}

func limitFields() []field {
	return []field{
		{Name: "max_email_bytes", Label: "Max email size in bytes", Widget: widgetSize, Default: "6 MB", Range: "up to 250 MB", Help: "Larger mail is not downloaded; it is handled as invalid, for the reason oversize."},
		{Name: "max_light_bytes", Label: "Max email LW size in bytes", Widget: widgetSize, Default: "10 kB", Help: "Mail up to this size goes through the light lane, larger mail through the large lane, in parallel. Not above the max email size."},
		{Name: "max_items", Label: "Max number of items to collect", Widget: widgetNumber, Unit: "mails", Default: "50", Range: "1 to 1,000", Help: "Downloaded in one iteration, both lanes together. While more wait, the next one follows at once."},
		{Name: "max_idle_seconds", Label: "Max idle time (sec)", Widget: widgetNumber, Unit: "seconds", Default: "360", Range: "10 to 86,400", Help: "How long an idle download or disposal connection is held. The connection that watches for new mail is not idle in this sense."},
		{Name: "connect_retries", Label: "Auto connect retries", Widget: widgetNumber, Unit: "retries", Default: "3", Range: "0 to 100", Help: "Further attempts, ever further apart, before the mailbox counts as failed. A failed mailbox is tried again after a minute, later every 15 minutes at most."},
	}
}

func disposalFields() []field {
	methods := func(folder string) []option {
		return []option{
			{Value: string(schema.MethodMove), Label: "Move", Help: "To the folder " + folder + "."},
			{Value: string(schema.MethodDelete), Label: "Delete", Help: "By way of the deleted emails folder. It is gone from the server."},
		}
	}
	return []field{
		{Name: "persisted_method", Label: "Post MSR persisted method", Widget: widgetRadio, Required: true, Default: "move", Options: methods("for persisted emails")},
		{Name: "persisted_folder", Label: "Persisted emails folder name", Default: config.DefaultMailbox().PersistedFolder, Help: "For mail that is stored."},
		{Name: "invalid_method", Label: "Post MSR invalid method", Widget: widgetRadio, Required: true, Default: "move", Options: methods("for invalid emails")},
		{Name: "invalid_folder", Label: "Invalid emails folder name", Default: config.DefaultMailbox().InvalidFolder, Help: "For mail that is too large, unreadable, in a loop, or for no folder."},
		{Name: "deleted_folder", Label: "Deleted emails folder name", Default: config.DefaultMailbox().DeletedFolder, Help: "Used during deletion: mail is moved there and expunged there. Nothing else may be in it."},
	}
}

func routingFields() []field {
	return []field{
		{Name: "import_since", Label: "Import from", Widget: widgetRadio, Wide: true, Default: "all", Options: []option{
			{Value: schema.ImportAll, Label: "All mail", Help: "Everything in the inbox is imported, then moved or deleted as the mailbox says."},
			{Value: schema.ImportNew, Label: "New mail only", Help: "Only what arrives after the mailbox is enabled. Older mail is left untouched."},
			{Value: importDate, Label: "Mail since a day", Help: "What arrived on that day and later. Older mail is left untouched."},
		}},
		{Name: dateField, Label: "Since", Widget: widgetDate, Wide: true, Help: "By the arrival on the mail server."},
		{Name: "unmatched", Label: "Unmatched mail", Widget: widgetSelect, Default: "invalid", Options: []option{{Value: schema.UnmatchedInvalid, Label: "Invalid: handled by the invalid method"}}, Help: "For whom no folder has an address: invalid, or one of the chosen folders as the catch-all."},
		{Name: "plus_addressing", Label: "Plus addresses", Widget: widgetSwitch, Default: "on", Help: "support+x@ matches support@ when nothing matches exactly."},
		{Name: "recipients", Label: "Recipients from", Widget: widgetRadio, Wide: true, Default: "auto", Options: []option{
			{Value: schema.RecipientsAuto, Label: "auto", Help: "The envelope when it says more than the mailbox's own address, else the headers."},
			{Value: schema.RecipientsHeaders, Label: "headers", Help: "To, Cc, Bcc and their Resent- forms."},
			{Value: schema.RecipientsEnvelope, Label: "envelope", Help: "What the receiving server recorded: Delivered-To, X-Original-To, Envelope-To."},
		}},
	}
}

func advancedFields() []field {
	ca := func(key, protocol string) field {
		return field{Name: key + ".ca", Label: "Certificate authority (" + protocol + ")", Widget: widgetArea, Rows: 4, Code: true, Wide: true, Default: "that of the system", Placeholder: "-----BEGIN CERTIFICATE-----",
			Range: "PEM, at most 256 KiB", Help: "Which authority vouches for the " + protocol + " server, instead of those of the system. No setting accepts any certificate."}
	}
	return []field{
		{Name: "inbox", Label: "Watched folder", Default: "INBOX", Help: "The folder on the mail server that mail is taken from."},
		ca("imap", "IMAP"), ca("smtp", "SMTP"),
	}
}
