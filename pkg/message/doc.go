// Package message reads RFC 5322 mail as it really comes. Whatever the bytes
// are, ScanHeader and Parse return something useful and list what was wrong as
// defects: they never fail, never panic, and their time and memory are linear in
// the size of the mail, bounded by Limits. The package is pure: no I/O, no clock,
// no state; everything is safe for concurrent use.
//
// Not here: the comparison of addresses (pkg/address), which folder a mail
// belongs to (pkg/routing), and storage (pkg/mailstore).
//
// # Why an own part walker
//
// emersion/go-message is the library of the project's IMAP side, and its charset
// registry is what names a charset here (package charset). Its entity reader is
// not used: it refuses a whole mail for one header line without a colon, an mbox
// "From " line, a leading space or a Content-Transfer-Encoding it does not know,
// holds a part header of any size in memory, and needs time that grows with the
// square of the nesting. Those are the mails that this package exists for. The
// walker works on the bytes in memory in one pass, without recursion: a line
// that starts with "--" is compared with the boundaries that are open, so an
// outer boundary also ends inner parts that were never closed (RFC 2046, section
// 5.1.2), and depth and number of parts are plain counters.
//
// mime/quotedprintable and mime.ParseMediaType stop at the first byte that they
// do not like, so there are own decoders for these two formats as well; base64 is
// decoded by encoding/base64 and only what that refuses by the tolerant decoder.
package message
