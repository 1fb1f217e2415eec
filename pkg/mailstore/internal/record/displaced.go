package record

// IsAnother reports whether a row that has the record's key holds another mail:
// one of other content and another Message-ID, or none. That happens when the
// mailbox was pointed at another account, or the server was restored from a
// backup, and a UIDVALIDITY came back. Other content alone does not tell: some
// servers write a mail anew each time that it is read.
func (r *Record) IsAnother(sha256, messageID string) bool {
	return sha256 != r.SHA256 && (messageID == "" || messageID != r.MessageID)
}
