// Package doctor tries out a mailbox's settings, also those that are not saved
// yet: step by step from the name of the server to a mail that arrives, saying of
// each step what was tried, what the server answered and what to do. It also lists
// the folders on the server for those who choose one, and tells in a dry run what
// would happen to the mails that wait.
//
// It leaves nothing behind: what it makes on the server it removes, also when it
// is cancelled. A dry run touches nothing at all.
//
// The mails that it sends go their way like all mail: a pipeline that works on the
// mailbox may see them first, and an address may be another mailbox's. They bear a
// token that the pipeline was told before (Doctor.Announce), by which the classifier
// knows them: such a mail is stored as a loop and disposed of as invalid mail, and no
// agent sees it. The token is random, so that nobody else can write mail that is
// passed over.
//
// What does not belong here: who may ask (the callers), where connections may go
// (package egress; its dialer is Doctor.Dial), settings by provider (package
// provider).
package doctor
