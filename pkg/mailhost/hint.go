package mailhost

import (
	"strings"
)

// LoginHint says how to mend a refused sign-in, by what providers are known for.
func LoginHint(host, text string) string {
	host, text = strings.ToLower(host), strings.ToLower(text)
	switch {
	case strings.Contains(text, "application-specific") || strings.Contains(text, "app password"):
		return "this provider wants an app password instead of the account's password"
	case strings.Contains(text, "smtpclientauthentication is disabled"):
		return "an administrator of Microsoft 365 must allow authenticated SMTP for this mailbox"
	case strings.Contains(text, "web browser") || strings.Contains(text, "weblogin"):
		return "the provider wants a sign-in with a browser first"
	case strings.HasSuffix(host, "office365.com") || strings.HasSuffix(host, "outlook.com"):
		return "Microsoft takes no passwords for IMAP any more, and for SMTP only where an administrator allows it"
	case strings.HasSuffix(host, "gmail.com") || strings.HasSuffix(host, "googlemail.com"):
		return "Google takes app passwords only"
	case strings.HasSuffix(host, "me.com") || strings.HasSuffix(host, "icloud.com"):
		return "Apple takes app passwords only"
	case strings.HasSuffix(host, "yahoo.com") || strings.HasSuffix(host, "aol.com"):
		return "Yahoo and AOL take app passwords only"
	case strings.Contains(text, "logindisabled"):
		return "the server takes no password over this connection: check port and secure connection type"
	}
	return "check username and password"
}
