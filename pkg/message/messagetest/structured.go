package messagetest

// pixel is a GIF of one pixel, in base64.
const pixel = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

// Alternative returns an ordinary mail of about 5 KB with a plain and an HTML form.
func Alternative(to string) []byte {
	d := compose("alternative", to, "Offer", `Content-Type: multipart/alternative; boundary="=_alt"`)
	lines := []string{"--=_alt", `Content-Type: text/plain; charset="utf-8"`, "Content-Transfer-Encoding: quoted-printable", ""}
	for range 20 {
		lines = append(lines, "Our offer is valid until Friday=2C and the price includes shipping=2E")
	}
	lines = append(lines, "--=_alt", `Content-Type: text/html; charset="utf-8"`, "Content-Transfer-Encoding: quoted-printable", "", "<html><head><style>p{color:#123}</style></head><body>")
	for range 20 {
		lines = append(lines, "<p style=3D\"margin:0;font-family:Arial,sans-serif;font-size:14px;line-height=\r\n:1.5;\">Our offer is valid until <b>Friday</b>, and the price includes shipping.</p>")
	}
	return d.body(append(lines, "</body></html>", "--=_alt--")...)
}

func structured(to string) []Sample {
	offer := ""
	for range 20 {
		offer += "Our offer is valid until Friday, and the price includes shipping.\n"
	}
	nested := string(compose("nested-inner", to, "The inner mail", `Content-Type: multipart/mixed; boundary="inner"`).body(
		"--inner", "", "Inner text", "--inner", "Content-Disposition: attachment; filename=inner.txt", "", "inner file", "--inner--"))
	return []Sample{
		{Name: "alternative", Raw: Alternative(to), WantSubject: "Offer", WantText: offer},
		{Name: "html-only", WantSubject: "Newsletter", WantText: "News\n\nFirst & second line\nof café\n\n- one\n- two",
			Raw: compose("html-only", to, "Newsletter", "Content-Type: text/html; charset=utf-8").body(
				"<html><head><title>Not shown</title><style>p { x: y }</style></head><body>",
				"<h1>News</h1><p>First &amp; second line<br>of&nbsp;caf&eacute;</p><script>alert('no')</script>",
				"<ul><li>one<li>two</ul></body></html>")},
		{Name: "inline-image", WantSubject: "Logo", WantText: "See our logo here.", WantFiles: []string{"logo.gif", "part-3.gif"},
			Raw: compose("inline-image", to, "Logo", `Content-Type: multipart/related; boundary="rel"; type="text/html"`).body(
				"--rel", "Content-Type: text/html; charset=us-ascii", "", `<p>See our logo <img src="cid:logo@x"> here.</p>`,
				"--rel", "Content-Type: image/gif; name=logo.gif", "Content-ID: <logo@x>", "Content-Transfer-Encoding: base64", "", pixel,
				"--rel", "Content-Type: image/gif", "Content-ID: <other@x>", "Content-Disposition: inline", "Content-Transfer-Encoding: base64", "", pixel,
				"--rel--")},
		{Name: "nested-message", WantSubject: "Fwd: The inner mail", WantText: "Please see below.", WantFiles: []string{"The inner mail.eml"},
			Raw: compose("nested-message", to, "Fwd: The inner mail", `Content-Type: multipart/mixed; boundary="outer"`).body(
				"--outer", "", "Please see below.", "--outer", "Content-Type: message/rfc822", "", nested, "--outer--")},
		{Name: "mixed-with-footer", WantSubject: "Report", WantText: "Report\n\nAll is well.\nYou got this through a list.", WantFiles: []string{"figures.csv"},
			Raw: compose("mixed-with-footer", to, "Report", `Content-Type: multipart/mixed; boundary="m"`).body(
				"This is a message in MIME format.", "--m", "Content-Type: text/html", "", "<h2>Report</h2><div>All is well.</div>",
				"--m", "Content-Type: text/csv", `Content-Disposition: attachment; filename*0*=utf-8''fig; filename*1="ures"; filename*2*=%2Ecsv`, "", "a;b",
				"--m", "Content-Type: text/plain", "", "You got this through a list.", "--m--", "epilogue")},
		{Name: "signed", WantSubject: "Signed", WantText: "Signed text", WantFiles: []string{"smime.p7s"},
			Raw: compose("signed", to, "Signed", `Content-Type: multipart/signed; boundary="sig"; micalg=sha-256; protocol="application/pkcs7-signature"`).body(
				"--sig", "Content-Type: text/plain", "", "Signed text",
				"--sig", "Content-Type: application/pkcs7-signature; name=smime.p7s", "Content-Transfer-Encoding: base64", "", "AAECAw==", "--sig--")},
		{Name: "winmail", WantSubject: "From Outlook", WantText: "See attachment", WantFiles: []string{"winmail.dat"},
			Raw: compose("winmail", to, "From Outlook", `Content-Type: multipart/mixed; boundary="tnef"`).body(
				"--tnef", "Content-Type: text/plain", "", "See attachment",
				"--tnef", "Content-Type: application/ms-tnef", "Content-Transfer-Encoding: base64", "", "eJ8+Ig==", "--tnef--")},
	}
}
