package schemas

import "path"

// Programs that send and receive events, besides the stages.
const (
	ServiceAdmin = "admin"
	// External stands for the programs of others: the consumers of the
	// messaging database, alerting, consoles.
	External = "external"
)

// EventInfo is what there is to know of an event type without looking at a
// message. The lists agree with the operations of asyncapi.yaml.
type EventInfo struct {
	Type       string     // CloudEvents type
	New        func() any // returns a pointer to a new, empty event of the Go type
	Subject    string     // where it is published, with {parameters}
	Streams    []string   // that hold it
	Senders    []string   // stages, ServiceAdmin
	Receivers  []string   // stages, External; none when it is only read on demand
	DataSchema string     // $id of its JSON Schema
}

// Events lists every event type, in the order in which a mail meets them.
func Events() []EventInfo {
	const (
		fetcher, classifier, persister, disposer = string(StageFetcher), string(StageClassifier), string(StagePersister), string(StageDisposer)
	)
	givingUp := []string{fetcher, classifier, persister, disposer, ServiceAdmin}
	external := []string{External}
	mailEvents := []string{StreamEvents}

	events := []EventInfo{
		{
			Type: TypeMailFetched, New: func() any { return new(MailFetched) },
			Subject: SubjectFetched("{lane}", "{tenant}", "{mailbox}"),
			Streams: []string{StreamFetchedLight, StreamFetchedLarge},
			Senders: []string{fetcher}, Receivers: []string{classifier},
		},
		{
			Type: TypeMailClassified, New: func() any { return new(MailClassified) },
			Subject: SubjectClassified("{lane}", "{tenant}", "{mailbox}"),
			Streams: []string{StreamClassifiedLight, StreamClassifiedLarge},
			Senders: []string{classifier}, Receivers: []string{persister},
		},
		{
			Type: TypeMailDispose, New: func() any { return new(MailDispose) },
			Subject: SubjectDispose("{tenant}", "{mailbox}"),
			Streams: []string{StreamDispose},
			Senders: []string{persister}, Receivers: []string{disposer},
		},
		{
			Type: TypeMailPersisted, New: func() any { return new(MailPersisted) },
			Subject: SubjectPersisted("{tenant}", "{folder}"),
			Streams: mailEvents, Senders: []string{persister}, Receivers: external,
		},
		{
			Type: TypeMailRejected, New: func() any { return new(MailRejected) },
			Subject: SubjectRejected("{tenant}", "{mailbox}"),
			Streams: mailEvents, Senders: []string{persister}, Receivers: external,
		},
		{
			Type: TypeMailDisposed, New: func() any { return new(MailDisposed) },
			Subject: SubjectDisposed("{tenant}", "{mailbox}"),
			Streams: mailEvents, Senders: []string{disposer}, Receivers: []string{persister, External},
		},
		{
			Type: TypeMailDead, New: func() any { return new(MailDead) },
			Subject: SubjectDead("{stage}", "{tenant}", "{mailbox}"),
			Streams: []string{StreamDead}, Senders: givingUp, // read and replayed on demand
		},
		{
			Type: TypeMailParked, New: func() any { return new(MailParked) },
			Subject: SubjectParked("{tenant}", "{mailbox}"),
			Streams: mailEvents, Senders: givingUp, Receivers: external,
		},
		{
			Type: TypeMailboxState, New: func() any { return new(MailboxStateChanged) },
			Subject: SubjectMailboxState("{status}", "{tenant}", "{mailbox}"),
			Streams: mailEvents, Senders: []string{fetcher}, Receivers: external,
		},
		{
			Type: TypeConfigChanged, New: func() any { return new(ConfigChanged) },
			Subject: SubjectConfigChanged("{tenant}", "{kind}", "{id}"),
			Streams: []string{StreamConfigEvents}, Senders: []string{ServiceAdmin}, Receivers: external,
		},
	}
	for i := range events {
		events[i].DataSchema = DataSchema(events[i].Type)
	}
	return events
}

// File returns the name of the event type's JSON Schema in EventFiles. Its
// examples are in the directory of that name without ".json".
func (e EventInfo) File() string { return "events/" + path.Base(e.DataSchema) }
