// Package provider recognises the mail provider of an address and returns the
// settings to fill in: from a table of well-known providers, by the domain or by
// where its mail is delivered (MX), from the domain's SRV records (RFC 6186, RFC
// 8314), or as a guess that is marked as one.
//
// What does not belong here: trying the settings out (package doctor).
package provider
