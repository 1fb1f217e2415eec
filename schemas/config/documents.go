package config

// A Tenant is a customer of the provider. Its owner is the landlord.
type Tenant struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	MessagingDatabase string `json:"messaging_database"` // the name of a database that the deployment configures
	Limits            Limits `json:"limits"`
}

// Limits are fair-use limits of a tenant; 0 means none.
type Limits struct {
	Mailboxes  int `json:"mailboxes"`
	MailPerDay int `json:"mail_per_day"`
}

// A Folder is a queue of a tenant, found by recipient address.
type Folder struct {
	Tenant      string   `json:"tenant"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Address     string   `json:"address"`
	Aliases     []string `json:"aliases,omitempty"`
	Description string   `json:"description,omitempty"`
}

// Addresses returns the folder's address and its aliases.
func (f Folder) Addresses() []string { return append([]string{f.Address}, f.Aliases...) }

// A Mailbox is an external IMAP mailbox that mail is taken from.
type Mailbox struct {
	Tenant          string   `json:"tenant"`
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	Description     string   `json:"description,omitempty"`
	Folders         []string `json:"folders"`
	Enabled         bool     `json:"enabled"`
	IMAP            Server   `json:"imap"`
	SMTP            Server   `json:"smtp"`
	Username        string   `json:"username"`
	Auth            string   `json:"auth"`
	ConnectRetries  int      `json:"connect_retries"`  // further attempts after the first, 0-100
	MaxIdleSeconds  int      `json:"max_idle_seconds"` // seconds
	MaxEmailBytes   int64    `json:"max_email_bytes"`  // bytes
	MaxLightBytes   int64    `json:"max_light_bytes"`  // bytes
	MaxItems        int      `json:"max_items"`
	PersistedMethod Method   `json:"persisted_method"`
	InvalidMethod   Method   `json:"invalid_method"`
	PersistedFolder string   `json:"persisted_folder"`
	InvalidFolder   string   `json:"invalid_folder"`
	DeletedFolder   string   `json:"deleted_folder"`
	Unmatched       string   `json:"unmatched"`  // "invalid" or a folder id
	Recipients      string   `json:"recipients"` // RecipientsAuto, RecipientsHeaders, RecipientsEnvelope
	PlusAddressing  bool     `json:"plus_addressing"`
	ImportSince     string   `json:"import_since"` // "all", "new" or a date, YYYY-MM-DD
	Inbox           string   `json:"inbox"`
}

// A Server is where a mailbox's mail server is and how it is spoken to.
type Server struct {
	Host     string   `json:"host"`
	Port     int      `json:"port"`
	Security Security `json:"security"`
	CA       string   `json:"ca,omitempty"` // PEM; empty: the system's authorities
}

// Security is a secure connection type.
type Security string

const (
	SecurityAuto     Security = "auto"           // TLS at once on 993 and 465, else STARTTLS, required
	SecurityTLS      Security = "ssl-on-connect" // TLS from the first byte
	SecuritySTARTTLS Security = "start-tls"      // plain greeting, then STARTTLS, required
)

// A Method is what is done with a mail on the server after its outcome is committed.
type Method string

const (
	MethodMove   Method = "move"
	MethodDelete Method = "delete"
)

// Values of Mailbox.Recipients: which addresses decide.
const (
	RecipientsAuto     = "auto"
	RecipientsHeaders  = "headers"
	RecipientsEnvelope = "envelope"
)

// UnmatchedInvalid is the value of Mailbox.Unmatched that makes mail invalid
// when no folder matches.
const UnmatchedInvalid = "invalid"

// Values of Mailbox.ImportSince besides a date.
const (
	ImportAll = "all"
	ImportNew = "new"
)

// DefaultTenant returns a tenant with every default of the manual.
func DefaultTenant() Tenant { return Tenant{MessagingDatabase: "default"} }

// DefaultMailbox returns a mailbox with every default of the manual.
func DefaultMailbox() Mailbox {
	return Mailbox{
		IMAP:            Server{Port: 993, Security: SecurityAuto},
		SMTP:            Server{Port: 587, Security: SecurityAuto},
		Auth:            "password",
		ConnectRetries:  3,
		MaxIdleSeconds:  360,
		MaxEmailBytes:   6_000_000,
		MaxLightBytes:   10_000,
		MaxItems:        50,
		PersistedMethod: MethodMove,
		InvalidMethod:   MethodMove,
		PersistedFolder: "PersistedCCSPItems",
		InvalidFolder:   "InvalidCCSPItems",
		DeletedFolder:   "DeletedCCSPItems",
		Unmatched:       UnmatchedInvalid,
		Recipients:      RecipientsAuto,
		PlusAddressing:  true,
		ImportSince:     ImportAll,
		Inbox:           "INBOX",
	}
}
