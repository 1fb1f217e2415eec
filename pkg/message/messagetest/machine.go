package messagetest

// machine returns mails that machines write in answer to mail.
func machine(to string) []Sample {
	failure := "I'm sorry, the mail could not be delivered."
	return []Sample{
		{Name: "bounce", WantSubject: "Undelivered Mail Returned to Sender", WantText: failure, WantBounce: true, WantAutoReply: true,
			WantFiles: []string{"part-2.txt", "part-3.txt"},
			Raw: compose("bounce", to, "Undelivered Mail Returned to Sender", "Auto-Submitted: auto-replied", `Content-Type: multipart/report; report-type=delivery-status; boundary="dsn"`).without("Return-Path").body(
				"--dsn", "Content-Type: text/plain; charset=us-ascii", "", failure,
				"--dsn", "Content-Type: message/delivery-status", "",
				"Reporting-MTA: dns; mail.example.com", "Arrival-Date: "+date(0), "",
				"Final-Recipient: rfc822; relayed@customer.example", "Action: relayed", "Status: 2.0.0", "",
				"Final-Recipient: rfc822; nobody@customer.example", "Original-Recipient: rfc822;nobody@customer.example", "Action: failed", "Status: 5.1.1",
				"Diagnostic-Code: smtp; 550 5.1.1 <nobody@customer.example>:", " Recipient address rejected", "",
				"--dsn", "Content-Type: text/rfc822-headers", "", "From: "+to, "Message-ID: <original@example.com>", "Subject: Hello", "",
				"--dsn--")},
		{Name: "bounce-without-report", WantSubject: "failure notice", WantText: failure, WantBounce: true,
			Raw: append([]byte("Return-Path: <>\r\nFrom: MAILER-DAEMON@mail.customer.example\r\n"),
				compose("bounce-without-report", to, "failure notice").without("Return-Path").without("From").body(failure)...)},
		{Name: "delayed", WantSubject: "Delayed", WantText: "Still trying.", WantAutoReply: true, WantFiles: []string{"part-2.txt"},
			Raw: compose("delayed", to, "Delayed", "Auto-Submitted: auto-generated", `Content-Type: multipart/report; report-type=delivery-status; boundary="d"`).body(
				"--d", "", "Still trying.", "--d", "Content-Type: message/delivery-status", "",
				"Reporting-MTA: dns; mail.example.com", "", "Final-Recipient: rfc822; slow@customer.example", "Action: delayed", "Status: 4.4.1", "--d--")},
		{Name: "auto-reply", WantSubject: "Out of office", WantText: "I am back on Monday.", WantAutoReply: true,
			Raw: compose("auto-reply", to, "Out of office", "Auto-Submitted: auto-replied (vacation)", "Precedence: bulk").body("I am back on Monday.")},
		{Name: "auto-reply-old", WantSubject: "Out of office", WantText: "Gone fishing.", WantAutoReply: true,
			Raw: compose("auto-reply-old", to, "Out of office", "X-Autoreply: yes").body("Gone fishing.")},
		{Name: "list", WantSubject: "[list] News", WantText: "To the list.",
			Raw: compose("list", to, "[list] News", "Precedence: list", "List-Id: <list.example>", "Auto-Submitted: no", "X-Auto-Response-Suppress: All").body("To the list.")},
	}
}
