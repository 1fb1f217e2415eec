package schemas

// TypeMailFetched is the CloudEvents type of MailFetched.
const TypeMailFetched = "mailyard.mail.fetched.v1"

// MailFetched says that a mail was downloaded (or, oversize, that its header
// section was) and waits for classification. Sent by the fetcher.
type MailFetched struct {
	Attributes
	MailAttributes
	// Mail is the raw mail (ContentMail) or its header section (ContentMailHeader).
	Mail []byte `json:"data_base64"`
}
