package schemas

// Streams. The names of JetStream streams, key-value buckets and object stores.
const (
	StreamFetchedLight    = "FETCHED_LIGHT"
	StreamFetchedLarge    = "FETCHED_LARGE"
	StreamClassifiedLight = "CLASSIFIED_LIGHT"
	StreamClassifiedLarge = "CLASSIFIED_LARGE"
	StreamDispose         = "DISPOSE"
	StreamRetry           = "RETRY"
	StreamDead            = "DEAD"
	StreamEvents          = "EVENTS"
	StreamConfigEvents    = "CONFIG_EVENTS"
	StreamAdvisory        = "ADVISORY"

	BucketConfig  = "CONFIG"  // key-value: current documents
	BucketControl = "CONTROL" // key-value: parked mail keys, tokens of test mails
	BucketBlob    = "MAILBLOB"
)

// FetchedStream returns the stream of fetched mail of a lane.
func FetchedStream(l Lane) string {
	if l == Light {
		return StreamFetchedLight
	}
	return StreamFetchedLarge
}

// ClassifiedStream returns the stream of classified mail of a lane.
func ClassifiedStream(l Lane) string {
	if l == Light {
		return StreamClassifiedLight
	}
	return StreamClassifiedLarge
}

// DisposePartitions is the number of partitions of the stream DISPOSE. A
// mailbox is always in the same one, and one replica serves a partition.
const DisposePartitions = 16

// SubjectFetched is where a fetched mail is published.
func SubjectFetched(l Lane, tenant, mailbox string) string {
	return "mail.v1.fetched." + string(l) + "." + tenant + "." + mailbox
}

// SubjectClassified is where a classified mail is published.
func SubjectClassified(l Lane, tenant, mailbox string) string {
	return "mail.v1.classified." + string(l) + "." + tenant + "." + mailbox
}

// SubjectDispose is where a dispose message is published. The stream inserts
// the partition: mail.v1.dispose.<partition>.<tenant>.<mailbox>.
func SubjectDispose(tenant, mailbox string) string {
	return "mail.v1.dispose." + tenant + "." + mailbox
}

// SubjectDead is where a dead letter is published.
func SubjectDead(s Stage, tenant, mailbox string) string {
	return "mail.v1.dead." + string(s) + "." + tenant + "." + mailbox
}

// SubjectPersisted is where the event of a committed item is published.
func SubjectPersisted(tenant, folder string) string {
	return "mail.v1.event.persisted." + tenant + "." + folder
}

// SubjectRejected is where the event of an invalid mail is published.
func SubjectRejected(tenant, mailbox string) string {
	return "mail.v1.event.rejected." + tenant + "." + mailbox
}

// SubjectDisposed is where the event of a disposal is published.
func SubjectDisposed(tenant, mailbox string) string {
	return "mail.v1.event.disposed." + tenant + "." + mailbox
}

// SubjectParked is where the event of a dead letter is published.
func SubjectParked(tenant, mailbox string) string {
	return "mail.v1.event.dead." + tenant + "." + mailbox
}

// SubjectMailboxState is where a mailbox's state changes are published.
func SubjectMailboxState(s MailboxStatus, tenant, mailbox string) string {
	return "mailbox.v1.event." + string(s) + "." + tenant + "." + mailbox
}

// SubjectConfigChanged is where a change of a document is published.
func SubjectConfigChanged(tenant string, kind Kind, id string) string {
	return "config.v1.changed." + tenant + "." + string(kind) + "." + id
}
