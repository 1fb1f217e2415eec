// Package routing finds the folders that a mail was meant for, and says why. It
// is a pure function of the mail's header and the mailbox's rules: the
// classifier, the answer to "why is this mail here" and the simulator all call
// Table.Route.
//
// # Which addresses are looked at
//
//	set       fields
//	envelope  Delivered-To, X-Original-To, Envelope-To, X-Envelope-To,
//	          in the topmost block only
//	header    To, Cc, Bcc, Resent-To, Resent-Cc, Resent-Bcc, wherever they stand
//
// Every occurrence counts. Groups are expanded. Display names, comments, quoted
// strings and encoded words are never addresses, and no other field is looked
// at: From, Sender and Reply-To say who wrote, not whom to.
//
// The topmost block is what the receiving server put on top when it stored the
// mail. It ends
//   - at the first Received field by which the mail came from another host.
//     Received fields of the last steps inside the server do not end it: LMTP
//     (RFC 3848; Dovecot, Cyrus), a mail collected by POP3 or IMAP (fetchmail,
//     getmail), a local re-delivery by qmail;
//   - at the first field that an author writes (From, To, Subject and the like,
//     RFC 5322, section 3.6, and the Resent fields), and then with the last
//     Received field before it, if there is one.
//
// So the Delivered-To of Postfix, Dovecot, qmail and Gmail, the X-Original-To of
// Postfix and the Envelope-To of Exim count, and what a sender wrote under these
// names does not: it stands below the Received field of the receiving server.
//
// # Which of them decide
//
//	recipients  what decides
//	envelope    the envelope set
//	headers     the header set
//	auto        the envelope set, if it names a folder other than the one that
//	            bears the mailbox's own login address;
//	            else the header set, if it names a folder;
//	            else the envelope set
//
// A login without a domain is the local part of the folder addresses that have
// it. A Delivered-To with the login address often says only where the server stored
// the mail: Postfix writes it below the X-Original-To of every alias. Therefore
// it takes no part when another address of the envelope set names another folder.
//
// # How an address names a folder
//
//	rule       when
//	exact      the address is one of the folder's, by address.Key: domain without
//	           case, as A-labels; local part without case, NFC
//	plus       it is so without its +tag, plus_addressing is on, and the whole
//	           address is no folder's
//	catch-all  no address of the deciding set names a folder, and unmatched names
//	           this one
//
// Every folder that is named gets one clone, in the order of the mailbox's folder
// list; its explanation is the first exact match, else the first plus match.
//
// # Which mail is invalid
//
//	reason              when, first that applies
//	unparsable          it has no header field
//	loop                it bears the mailbox's loop mark, or a Message-ID that
//	                    the mailbox made
//	no-matching-folder  nothing matched, and unmatched names no folder
//
// Oversize mail is not known here: its size is, before its header is read.
package routing
