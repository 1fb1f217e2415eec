// Package address reads the address lists of mail headers, as they really
// occur, and compares addresses.
//
// It has two readers: ParseList takes whatever stands in a mail and never
// fails, ParseOne takes one address that a person configured and says what is
// wrong with it. A Key is the form in which addresses are compared.
//
// The package knows nothing of header fields, mails or folders: those are in
// packages message and routing.
package address
