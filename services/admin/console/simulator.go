package console

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// simulatorRoutes are the simulator and the addresses that match no folder.
func (c *console) simulatorRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/simulator", handle: c.simulator},
		{pattern: "POST /t/{tenant}/simulator", handle: c.simulate, limit: uploadLimit},
		{pattern: "GET /t/{tenant}/simulator/add", handle: c.chooseFolder},
		{pattern: "GET /t/{tenant}/simulator/add/to", handle: c.addToFolder},
	}
}

// simulatorView is the simulator.
type simulatorView struct {
	Header    header
	Form      form
	Drop      drop
	Result    *simulation
	Unmatched []strayRow
	Days      string
	Write     bool
}

// A simulation is where a mail would go, and why.
type simulation struct {
	Badge   badge
	Subject string
	Source  string // name of the file
	Clones  []cloneView
	Reason  string // why it would be invalid
	Server  string
	Lane    schemas.Lane
	Size    string
	Looked  []looked
}

// A strayRow is an address that was seen lately and matches no folder.
type strayRow struct {
	Address string
	Count   int64
	Last    time.Time
	Box     named
	Mail    string
	All     string // the ledger of its mails
	Add     string
}

// simulator shows the form, filled with the header of a mail if one is named.
func (c *console) simulator(r *request) error {
	f := trial{mailbox: r.FormValue("mailbox")}
	if id := r.FormValue("mail"); id != "" {
		raw, err := r.desk.GetRawMail(r.Context(), r.actor, &operation.GetRawMail{InMail: operation.InMail{InTenant: r.inTenant(), ID: id}})
		if err != nil {
			return err
		}
		f.text = string(message.HeaderSection(raw.Content))
	}
	return r.showSimulator(f, nil, nil)
}

// simulate asks where the mail of the form would go.
func (c *console) simulate(r *request) error {
	t, problems, err := r.readTrial()
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return r.showSimulator(t, nil, operation.Invalid(problems...))
	}
	in := operation.Simulate{InTenant: r.inTenant(), Body: operation.SimulatedMail{Mailbox: t.mailbox, Text: t.text}}
	if t.file != nil {
		in.Body.Text, in.Body.Base64 = "", base64.StdEncoding.EncodeToString(t.file)
		if len(t.file) == 0 {
			return r.showSimulator(t, nil, operation.Invalid(problemAt("text", "is an empty file")))
		}
	} else if !utf8.ValidString(t.text) {
		in.Body.Text, in.Body.Base64 = "", base64.StdEncoding.EncodeToString([]byte(t.text))
	}
	out, err := r.desk.Simulate(r.Context(), r.actor, &in)
	if err != nil && problemOf(err).Status == http.StatusNotFound {
		err = operation.Invalid(problemAt("mailbox", "does not exist; choose another one"))
	}
	if err != nil {
		return r.showSimulator(t, nil, err)
	}
	if t.file != nil { // to be changed and tried again
		t.text = string(message.HeaderSection(t.file))
	}
	found := simulationOf(out, t)
	return r.showSimulator(t, &found, nil)
}

func (r *request) showSimulator(t trial, found *simulation, refused error) error {
	mailbox, err := r.mailboxChoice("All folders of the tenant", t.mailbox)
	if err != nil {
		return err
	}
	mailbox.Help = "Its folders and rules decide. All folders: with the default rules."
	text, _ := cutText(mailText(t.text), shownText)
	f := form{
		ID: "simulator", Post: r.path("simulator"), Submit: "Simulate",
		Groups: []fieldset{{Fields: []field{
			{Name: "text", Label: "Header, or the whole mail", Widget: widgetArea, Rows: 10, Wide: true, Code: true, Value: text, Placeholder: "Delivered-To: info@example.com\nTo: Support <support@example.com>\nSubject: …", Help: "The header is enough."},
			mailbox,
		}}},
	}
	if refused != nil {
		if !f.refuse(refused) {
			return refused
		}
		r.invalid()
	}
	v := simulatorView{
		Header: header{Title: "Simulator", Text: "Says where a mail would go, and why, by the same rules that decide for real mail. Nothing is stored or sent."},
		Form:   f, Result: found, Write: r.mayWrite(), Days: "7 days",
		Drop: drop{Name: "file", Label: "Drop an .eml here, or choose one", Help: "At most " + sizeText(operation.MaxSimulated) + ". It is looked at instead of the text.", Accept: ".eml,.txt,message/rfc822,text/plain"},
	}
	if v.Unmatched, err = r.strays(); err != nil {
		return err
	}
	return r.page("simulator", page{Title: "Simulator", Section: sectionSimulator}, v)
}

func simulationOf(out operation.Simulation, t trial) simulation {
	s := simulation{
		Badge: verdictBadge(out.Decision.Verdict, out.Decision.Reason), Subject: cmp.Or(plainLine(out.Subject), "(no subject)"), Source: t.name,
		Server: sentence(out.Consequence), Lane: out.Lane, Size: shortSize(int64(max(len(t.file), len(t.text)))),
	}
	if t.file != nil {
		s.Size = shortSize(int64(len(t.file)))
	}
	if out.Decision.Verdict == schemas.Invalid {
		s.Reason = sentence(reasonText(out.Decision.Reason))
	}
	for _, clone := range out.Decision.Clones {
		s.Clones = append(s.Clones, cloneView{Name: clone.FolderName, Because: becauseText(clone.Rule, clone.Header, clone.Address)})
	}
	names := map[string]string{}
	for _, a := range out.Addresses {
		names[a.Folder] = cmp.Or(a.FolderName, a.Folder)
	}
	s.Looked = lookedAt(out.Decision.Recipients, func(id string) string { return names[id] })
	return s
}

// strays are the addresses that were seen lately and match no folder.
func (r *request) strays() ([]strayRow, error) {
	list, err := r.desk.ListUnmatched(r.Context(), r.actor, &operation.ListUnmatched{InTenant: r.inTenant()})
	if err != nil {
		return nil, err
	}
	names, err := r.namesIn(r.tenant.Document.ID)
	if err != nil {
		return nil, err
	}
	var rows []strayRow
	for _, u := range list.Addresses {
		rows = append(rows, strayRow{
			Address: plainLine(u.Address), Count: u.Count, Last: u.Last, Box: names.mailbox(r.tenant.Document.ID, u.Mailbox), Mail: r.path("mails", u.MailID),
			All: withQuery(r.path("mails"), url.Values{}, "address", u.Address, "verdict", "invalid/"+string(schemas.ReasonNoMatchingFolder)),
			Add: withQuery(r.path("simulator", "add"), url.Values{}, "address", u.Address),
		})
	}
	return rows, nil
}

// addView is the dialog that asks which folder gets an address.
type addView struct {
	Post    string
	Address string
	Folder  field
}

// chooseFolder asks which folder an address is added to.
func (c *console) chooseFolder(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	list, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return err
	}
	f := field{Name: "folder", Label: "Folder", Widget: widgetSelect, Options: []option{{Value: "", Label: "A new folder"}}}
	for _, folder := range list.Folders {
		f.Options = append(f.Options, option{Value: folder.Document.ID, Label: folder.Document.Name + ", " + folder.Document.Address})
	}
	return r.part("simulator-add", addView{Post: r.path("simulator", "add", "to"), Address: plainLine(r.FormValue("address")), Folder: f})
}

// addToFolder leads to the form of the folder, with the address filled in.
func (c *console) addToFolder(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	address := strings.TrimSpace(r.FormValue("address"))
	if folder := r.FormValue("folder"); folder != "" {
		return r.redirect(withQuery(r.path("folders", "at", folder), url.Values{}, "alias", address))
	}
	return r.redirect(withQuery(r.path("folders", "new"), url.Values{}, "address", address))
}
