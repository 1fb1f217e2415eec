// Package charset turns text of any charset into UTF-8, whatever it claims to
// be: bodies with Decode, RFC 2047 encoded words with Words. Both never fail,
// and take time linear in their input.
//
// Names are resolved in two steps: a table of the names that mail uses for a
// smaller charset than it writes (gb2312 for GBK, iso-8859-1 for windows-1252,
// ks_c_5601-1987 for its Microsoft extension) or that no registry has (cp932,
// ms949, utf-7), then the registry of emersion/go-message/charset, which knows
// the IANA and the WHATWG names.
package charset
