package schemas

// A Lane is one of the two parallel ways through the pipeline. Light never
// waits for large: the lanes share no connection, stream, consumer or worker.
type Lane string

// The lanes. Oversize mail travels on the large lane as a header section.
const (
	Light Lane = "light"
	Large Lane = "large"
)

// Lanes lists every lane, in the order in which they are shown.
var Lanes = [...]Lane{Light, Large}

// A Verdict says what a mail turned out to be.
type Verdict string

const (
	// Accepted mail is stored with one item per matched folder.
	Accepted Verdict = "accepted"
	// Invalid mail is stored with its reason and no items, and is disposed of by the invalid policy.
	Invalid Verdict = "invalid"
)

// A Reason says why a mail is invalid. The list is closed.
type Reason string

const (
	// ReasonOversize: larger than max_email_bytes; its body was never downloaded.
	ReasonOversize Reason = "oversize"
	// ReasonNoMatchingFolder: no recipient address belongs to a folder of the mailbox.
	ReasonNoMatchingFolder Reason = "no-matching-folder"
	// ReasonUnparsable: not one header field can be found in it.
	ReasonUnparsable Reason = "unparsable"
	// ReasonLoop: our own loop mark or the mailbox's own Message-ID came back, or
	// a test mail of an examination.
	ReasonLoop Reason = "loop"
)

// An Action is what the disposer is asked to do with mails in the inbox.
type Action string

const (
	// ActionPersisted applies the mailbox's policy for persisted mail.
	ActionPersisted Action = "persisted"
	// ActionInvalid applies the mailbox's policy for invalid mail.
	ActionInvalid Action = "invalid"
	// ActionRelease touches nothing on the mail server: it only clears the
	// in-flight marks, so that the mails are fetched again.
	ActionRelease Action = "release"
)

// A Stage is one of the services that a mail passes.
type Stage string

// The stages, in the order in which a mail passes them.
const (
	StageFetcher    Stage = "fetcher"
	StageClassifier Stage = "classifier"
	StagePersister  Stage = "persister"
	StageDisposer   Stage = "disposer"
)

// A MailboxStatus is the state that an administrator sees. The list is closed.
type MailboxStatus string

const (
	StatusDraft         MailboxStatus = "draft"          // never enabled
	StatusBlocked       MailboxStatus = "blocked"        // a prerequisite is missing
	StatusConnecting    MailboxStatus = "connecting"     // first connection since start, enable or failure
	StatusLive          MailboxStatus = "live"           // nothing waits; IDLE is open and answered
	StatusPolling       MailboxStatus = "polling"        // nothing waits; the server has no IDLE
	StatusDraining      MailboxStatus = "draining"       // mail waits and is being fetched
	StatusThrottled     MailboxStatus = "throttled"      // the provider asked us to wait
	StatusAuthFailed    MailboxStatus = "auth-failed"    // the server refused the credentials
	StatusTLSFailed     MailboxStatus = "tls-failed"     // no secure connection could be made
	StatusUnreachable   MailboxStatus = "unreachable"    // no connection could be made
	StatusFolderMissing MailboxStatus = "folder-missing" // inbox or a disposal folder is missing and cannot be created
	StatusFailed        MailboxStatus = "failed"         // anything else that stops the mailbox
	StatusPaused        MailboxStatus = "paused"         // an operator paused it
	StatusDisabled      MailboxStatus = "disabled"       // an administrator disabled it
)
