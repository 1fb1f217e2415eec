package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) mailboxes() *cobra.Command {
	mailbox := c.ofTenant(group(&cobra.Command{Use: "mailbox", Short: "Manage mailboxes: list, add, edit, examine, delete"}))
	mailbox.AddCommand(
		c.mailboxList(), c.mailboxShow(), c.mailboxAdd(), c.mailboxEdit(), c.mailboxPassword(),
		c.mailboxEnable(), c.mailboxDisable(), c.mailboxDelete(), c.mailboxBulk(),
		c.mailboxStatus(), c.mailboxStates(), c.mailboxHistory(), c.mailboxProtocol(),
		c.mailboxTest(), c.mailboxDoctor(), c.mailboxCheck(), c.mailboxDryRun(), c.mailboxServerFolders(), c.mailboxRecognise(),
	)
	return mailbox
}

// filterFlags are those that select mailboxes.
func (c *command) filterFlags(cmd *cobra.Command, f *operation.MailboxFilter) {
	flags := cmd.Flags()
	flags.StringVar(&f.Search, "search", "", "only with this in name, id, username, host or a folder's name")
	flags.Var(&list[schemas.MailboxStatus]{&f.Status}, "status", "only in these states, such as live,auth-failed")
	flags.Var(&list[operation.OutgoingStatus]{&f.Outgoing}, "outgoing", "only with these states of sending: off, untested, ready, failed")
	flags.StringVar(&f.Folder, "folder", "", "only those that deliver to this folder")
	flags.StringVar(&f.Host, "host", "", "only with this IMAP address")
	flags.StringVar(&f.Enabled, "enabled", "", "only those that are (true) or are not (false)")
	flags.BoolVar(&f.Attention, "attention", false, "only those that somebody has to look after")
	c.completeFlag(cmd, "folder", c.folderIDs)
	values(cmd, "outgoing", "off", "untested", "ready", "failed")
	values(cmd, "enabled", "true", "false")
}

func (c *command) mailboxList() *cobra.Command {
	var in operation.ListMailboxes
	cmd := performs(&cobra.Command{
		Use: "list", Short: "List mailboxes with their states", Args: noArgs,
		Example: "  mailyard mailbox list --attention\n  mailyard mailbox list --search acme --sort -backlog\n  mailyard mailbox list --enabled=false --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var page operation.MailboxPage
			r, err := c.read(cmd.Context(), call{operation: "mailbox.list", path: path, query: query(in)}, &page)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printMailboxes(page) })
		},
	}, "mailbox.list")
	c.filterFlags(cmd, &in.MailboxFilter)
	cmd.Flags().StringVar(&in.Sort, "sort", "", "column: name, username, folders, status, outgoing, checked, backlog, today, failed, enabled, problem; -name for the other direction")
	cmd.Flags().StringVar(&in.Cursor, "cursor", "", "the next page, as the one before told")
	cmd.Flags().IntVar(&in.Limit, "limit", 50, "at most this many, up to 500")
	return cmd
}

func (c *command) printMailboxes(page operation.MailboxPage) error {
	if len(page.Mailboxes) == 0 {
		return c.printf("There are no mailboxes that fit; the tenant has %d.\n", page.Total)
	}
	rows := [][]string{{"ID", "NAME", "USERNAME", "FOLDERS", "STATE", "SENDING", "CHECKED", "BACKLOG", "TODAY", "FAILED", "PROBLEM"}}
	for _, m := range page.Mailboxes {
		rows = append(rows, []string{
			m.ID, oneLine(m.Name, 30), oneLine(m.Username, 40), strconv.Itoa(len(m.Folders)), stateWord(m), string(m.Out.Status), ageText(m.In.LastSuccess),
			strconv.Itoa(m.Waiting + m.InFlight), strconv.FormatInt(m.Today, 10), strconv.FormatInt(m.FailedToday, 10), oneLine(m.Problem, 80),
		})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	if err := c.printAway(page.Away); err != nil {
		return err
	}
	if page.Next == "" && page.First <= 1 {
		return nil
	}
	text := fmt.Sprintf("\n%d to %d of %d.", page.First, page.First+len(page.Mailboxes)-1, page.Matching)
	if page.Next != "" {
		text += " More: --cursor " + page.Next
	}
	return c.printf("%s\n", text)
}

// printAway says what could not be asked.
func (c *command) printAway(away []string) error {
	if len(away) == 0 {
		return nil
	}
	return c.printf("\nMissing: %s.\n", oneLine(strings.Join(away, "; "), 400))
}

func stateWord(m operation.MailboxRow) string {
	if m.In.Stale {
		return string(m.In.Status) + " (old)"
	}
	return string(m.In.Status)
}

func (c *command) mailboxShow() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "show MAILBOX", Short: "Show the settings of a mailbox as they are in force", Args: exactly(1), Example: "  mailyard mailbox show info",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			var m operation.Mailbox
			r, err := c.read(cmd.Context(), call{operation: "mailbox.get", path: path}, &m)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printMailbox(r, m) })
		},
	}, "mailbox.get")
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

// printMailbox prints a mailbox as YAML, the way that --set and -f take it.
func (c *command) printMailbox(r reply, m operation.Mailbox) error {
	var shown struct {
		Document yaml.Node `yaml:"document"`
	}
	if err := yaml.Unmarshal(r.body, &shown); err != nil {
		return fmt.Errorf("reading the answer of mailyard: %w", err)
	}
	block(&shown.Document)
	raw, err := yaml.Marshal(&shown.Document)
	if err != nil {
		return err
	}
	password := "not set"
	if m.HasPassword {
		password = "set"
	}
	if err := c.printf("%s\npassword: %s\nrevision: %s, changed %s\n", printable(strings.TrimSpace(string(raw))), password, m.Revision, ageText(&m.UpdatedAt)); err != nil {
		return err
	}
	for _, p := range m.Missing {
		if err := c.printf("lacks: %s\n", oneLine(p.String(), 300)); err != nil {
			return err
		}
	}
	return nil
}

// block writes YAML that came as JSON in lines.
func block(n *yaml.Node) {
	n.Style = 0
	for _, inner := range n.Content {
		block(inner)
	}
}

// mailboxFlags are the common settings, for add and edit.
func (c *command) mailboxFlags(cmd *cobra.Command) *mailboxDraft {
	d := &mailboxDraft{draft: newDraft(cmd), password: passwordSource()}
	d.text(cmd, "name", "name", "name, for people")
	d.text(cmd, "description", "description", "for people")
	d.text(cmd, "username", "username", "login name")
	d.text(cmd, "imap-security", "imap.security", "auto, ssl-on-connect or start-tls")
	d.text(cmd, "smtp-security", "smtp.security", "auto, ssl-on-connect or start-tls")
	d.text(cmd, "import-since", "import_since", "what is taken of mail that is there already: all, new, or a date (2026-01-31)")
	d.text(cmd, "max-email-size", "max_email_bytes", "larger mail is invalid, such as \"6 MB\"")
	d.text(cmd, "persisted-folder", "persisted_folder", "folder on the mail server for accepted mail")
	d.text(cmd, "invalid-folder", "invalid_folder", "folder on the mail server for invalid mail")
	flags := cmd.Flags()
	flags.StringVar(&d.imap, "imap", "", "IMAP server, host or host:port")
	flags.StringVar(&d.smtp, "smtp", "", "SMTP server, host or host:port")
	flags.StringSliceVar(&d.folders, "folder", nil, "folder that it delivers to; may be given again")
	flags.BoolVar(&d.enabled, "enabled", false, "let the pipeline work on it")
	d.password.flags(cmd)
	c.completeFlag(cmd, "folder", c.folderIDs)
	values(cmd, "imap-security", "auto", "ssl-on-connect", "start-tls")
	values(cmd, "smtp-security", "auto", "ssl-on-connect", "start-tls")
	values(cmd, "import-since", "all", "new")
	return d
}

// A mailboxDraft is what a command line says of a mailbox.
type mailboxDraft struct {
	*draft
	imap, smtp string
	folders    []string
	enabled    bool
	password   secretSource
}

// changes returns what the command line sets.
func (d *mailboxDraft) changes(c *command, cmd *cobra.Command) (map[string]any, error) {
	out, err := d.draft.changes(c, cmd)
	if err != nil {
		return nil, err
	}
	for side, value := range map[string]string{"imap": d.imap, "smtp": d.smtp} {
		if !cmd.Flags().Changed(side) {
			continue
		}
		host, port, err := hostPort(value)
		if err != nil {
			return nil, usagef("--%s: %w", side, err)
		}
		set(out, side+".host", host)
		if port > 0 {
			set(out, side+".port", port)
		}
	}
	if cmd.Flags().Changed("folder") {
		out["folders"] = d.folders
	}
	if cmd.Flags().Changed("enabled") {
		out["enabled"] = d.enabled
	}
	password, err := c.given(d.password, false)
	if err == nil && !password.IsZero() {
		out["password"] = password.Reveal()
	}
	return out, err
}

// hostPort takes a server apart; 0: no port is named.
func hostPort(s string) (host string, port int, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.Count(s, ":") > 1 && !strings.HasPrefix(s, "[") || strings.HasSuffix(s, "]") {
		return strings.Trim(s, "[]"), 0, nil
	}
	port, err = strconv.Atoi(s[i+1:])
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%q is no port between 1 and 65535", s[i+1:])
	}
	return strings.Trim(s[:i], "[]"), port, nil
}

// A list is a flag with several values separated by commas.
type list[S ~string] struct{ into *[]S }

func (l *list[S]) Type() string { return "strings" }

func (l *list[S]) String() string {
	if l.into == nil {
		return ""
	}
	words := make([]string, len(*l.into))
	for i, w := range *l.into {
		words[i] = string(w)
	}
	return strings.Join(words, ",")
}

func (l *list[S]) Set(s string) error {
	for _, w := range strings.Split(s, ",") {
		if w = strings.TrimSpace(w); w != "" && !slices.Contains(*l.into, S(w)) {
			*l.into = append(*l.into, S(w))
		}
	}
	return nil
}
