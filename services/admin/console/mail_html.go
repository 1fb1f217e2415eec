package console

import (
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// Limits of what is shown of the HTML of a mail.
const (
	shownHTML     = 1 << 20 // bytes of HTML
	shownImage    = 5 << 20 // bytes of one image of the mail
	shownImages   = 16 << 20
	embeddedCount = 100
)

// frameHead is around the HTML of a mail. The frame is white in both themes:
// mail is written for white.
const frameHead = `<!doctype html><html lang="und"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>HTML of the mail</title><style>
html{color-scheme:light;background:#fff;color:#1a1f2b;font:14px/1.5 system-ui,"Noto Sans","Liberation Sans",sans-serif}body{margin:16px;overflow-wrap:anywhere}img,table{max-width:100%}img{height:auto}a{color:#2f56d0;text-decoration:underline}pre{white-space:pre-wrap}
</style></head><body>`

// mailHTML answers with the HTML of a mail, for the frame on its page. Three
// walls are between it and whoever looks at it: it is sanitised, the answer has
// a policy that allows no script and no other host, and it runs in a sandbox
// with an origin of its own.
//
// Its images are in it as data: a frame of that kind has no cookies, so that it
// could not ask for them.
func (c *console) mailHTML(r *request) error {
	m, err := r.desk.GetMail(r.Context(), r.actor, &operation.GetMail{InMail: r.inMail()})
	if err != nil {
		return err
	}
	images := &inlineImages{r: r, mail: m.Detail}
	clean := sanitiseMail(m.HTML, images.find)
	if images.err != nil {
		return images.err
	}
	return r.framed([]byte(frameHead + clean.HTML + "</body></html>"))
}

// inlineImages are the images of a mail that its HTML shows.
type inlineImages struct {
	r     *request
	mail  mailstore.Detail
	total int64
	count int
	err   error
}

// find returns the bytes of the image that cid: refers to.
func (i *inlineImages) find(id string) []byte {
	for _, a := range i.mail.Attached {
		if !strings.EqualFold(a.ContentID, id) || id == "" {
			continue
		}
		if a.Size > shownImage || i.total+a.Size > shownImages || i.count == embeddedCount || i.err != nil {
			return nil
		}
		f, err := i.r.desk.GetAttachment(i.r.Context(), i.r.actor, &operation.GetAttachment{InMail: i.r.inMail(), Position: a.Position})
		if err != nil {
			i.err = err
			return nil
		}
		i.total, i.count = i.total+int64(len(f.Content)), i.count+1
		return f.Content
	}
	return nil
}

// frameNotes say what is left out of the HTML of a mail.
func frameNotes(m mailstore.Detail) []string {
	clean := sanitiseMail(m.HTML, func(string) []byte { return nil })
	var notes []string
	if clean.Remote > 0 {
		notes = append(notes, plural(clean.Remote, "remote image is", "remote images are")+" left out: loading would tell the sender that and where the mail was read.")
	}
	if clean.Links > 0 {
		notes = append(notes, "Links lead nowhere here; point at one to see its address.")
	}
	if clean.Cut {
		notes = append(notes, "Only the first "+shortSize(shownHTML)+" of "+shortSize(int64(len(m.HTML)))+" are shown.")
	}
	return notes
}

// rawMail answers with the bytes of a mail, as a download.
func (c *console) rawMail(r *request) error {
	f, err := r.desk.GetRawMail(r.Context(), r.actor, &operation.GetRawMail{InMail: r.inMail()})
	if err != nil {
		return err
	}
	return r.download(f)
}

// attachment answers with a file of a mail, as a download.
func (c *console) attachment(r *request) error {
	position, err := strconv.Atoi(r.PathValue("position"))
	if err != nil || position < 1 {
		return errNoPage
	}
	f, err := r.desk.GetAttachment(r.Context(), r.actor, &operation.GetAttachment{InMail: r.inMail(), Position: position})
	if err != nil {
		return err
	}
	return r.download(f)
}
