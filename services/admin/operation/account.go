package operation

import (
	"context"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

// Account is an account as it is shown.
type Account struct {
	account.Document
	External    bool       `json:"external"` // an identity provider vouches for it; it has no password here
	HasPassword bool       `json:"has_password"`
	Revision    string     `json:"revision"`
	CreatedAt   time.Time  `json:"created_at"`
	SignedInAt  *time.Time `json:"signed_in_at,omitempty"`
}

// ETagRevision is the account's revision.
func (a Account) ETagRevision() string { return a.Revision }

func (d *Desk) accountOf(a account.Account) Account {
	return Account{Document: a.Document, External: a.External(), HasPassword: a.HasPassword, Revision: d.accountRevisions().Seal(a.Revision), CreatedAt: a.CreatedAt, SignedInAt: known(a.SignedInAt)}
}

// known is nil for a time that never was.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// GetSelf asks who one is.
type GetSelf struct{}

// Self is who asks, and what they may do.
type Self struct {
	Name   string       `json:"name"`
	Role   control.Role `json:"role"`
	Tenant string       `json:"tenant,omitempty"` // empty: all
}

// GetSelf returns who asks.
func (d *Desk) GetSelf(_ context.Context, a control.Actor, _ *GetSelf) (Self, error) {
	return Self{Name: a.Name, Role: a.Role, Tenant: a.Tenant}, nil
}

// ListAccounts asks for accounts.
type ListAccounts struct{}

// Accounts are accounts, by name.
type Accounts struct {
	Accounts []Account `json:"accounts"`
}

// ListAccounts returns the accounts that the actor may see.
func (d *Desk) ListAccounts(ctx context.Context, a control.Actor, _ *ListAccounts) (Accounts, error) {
	list, err := d.Accounts.Accounts(ctx, a)
	out := Accounts{Accounts: make([]Account, 0, len(list))}
	for _, x := range list {
		out.Accounts = append(out.Accounts, d.accountOf(x))
	}
	return out, err
}

// InAccount is the part of an input that names an account.
type InAccount struct {
	Name string `path:"account" json:"name" maxLength:"254" doc:"Name to sign in with."`
}

// GetAccount asks for an account.
type GetAccount struct{ InAccount }

// GetAccount returns an account.
func (d *Desk) GetAccount(ctx context.Context, a control.Actor, in *GetAccount) (Account, error) {
	x, err := d.Accounts.Account(ctx, a, in.Name)
	return d.accountOf(x), err
}

// PutAccount creates or changes an account.
type PutAccount struct {
	InAccount
	Condition
	Body AccountSettings `json:"account"`
}

// AccountSettings are what may be set of an account.
type AccountSettings struct {
	DisplayName string       `json:"display_name,omitempty" maxLength:"200"`
	Role        control.Role `json:"role" enum:"landlord,tenant-admin,reader"`
	Tenant      string       `json:"tenant,omitempty" maxLength:"63" doc:"Of a tenant administrator, and of a reader of one tenant."`
	Disabled    bool         `json:"disabled,omitempty" doc:"Neither its sessions nor its API tokens work."`
}

// PutAccount creates or changes an account. A new one has no password: see
// InviteAccount.
func (d *Desk) PutAccount(ctx context.Context, a control.Actor, in *PutAccount) (Account, error) {
	based, err := in.based(true, d.accountRevisions())
	if err != nil {
		return Account{}, err
	}
	s := in.Body
	x, err := d.Accounts.PutAccount(ctx, a, account.Document{Name: in.Name, DisplayName: s.DisplayName, Role: s.Role, Tenant: s.Tenant, Disabled: s.Disabled}, based)
	return d.accountOf(x), err
}

// DeleteAccount deletes an account.
type DeleteAccount struct {
	InAccount
	Condition
}

// DeleteAccount deletes an account with its sessions and API tokens.
func (d *Desk) DeleteAccount(ctx context.Context, a control.Actor, in *DeleteAccount) (Done, error) {
	based, err := in.based(false, d.accountRevisions())
	if err != nil {
		return Done{}, err
	}
	if err := d.Accounts.DeleteAccount(ctx, a, in.Name, based); err != nil {
		return Done{}, err
	}
	return done("Account %s is deleted, with its sessions and API tokens.", in.Name), nil
}

// InviteAccount makes a one-time link for an account.
type InviteAccount struct{ InAccount }

// Invitation is a one-time link by which a password is set.
type Invitation struct {
	Account   string    `json:"account"`
	Path      string    `json:"path"` // of the console, behind its address
	ExpiresAt time.Time `json:"expires_at"`
}

// InvitePath is where the console takes the token of a one-time link. It is the
// fragment, which no server and no referrer sees.
const InvitePath = "/link#"

// InviteAccount makes a one-time link by which the password of an account is
// set: for a new account, or when a password was forgotten.
func (d *Desk) InviteAccount(ctx context.Context, a control.Actor, in *InviteAccount) (Invitation, error) {
	link, err := d.Accounts.ResetLink(ctx, a, in.Name)
	return Invitation{Account: link.Account, Path: InvitePath + link.Token.Reveal(), ExpiresAt: link.ExpiresAt}, err
}

// ListSessions asks for the sessions of an account.
type ListSessions struct{ InAccount }

// Session is somebody who has signed in.
type Session struct {
	ID        string    `json:"id"`
	From      string    `json:"from"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Sessions are sessions, the latest first.
type Sessions struct {
	Sessions []Session `json:"sessions"`
}

// ListSessions returns the sessions of an account.
func (d *Desk) ListSessions(ctx context.Context, a control.Actor, in *ListSessions) (Sessions, error) {
	list, err := d.Accounts.Sessions(ctx, a, in.Name)
	out := Sessions{Sessions: make([]Session, 0, len(list))}
	for _, s := range list {
		out.Sessions = append(out.Sessions, Session{ID: s.ID, From: s.From, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt})
	}
	return out, err
}

// RevokeSession ends a session.
type RevokeSession struct {
	ID string `path:"session" json:"id" maxLength:"200" doc:"Id of the session."`
}

// RevokeSession ends a session.
func (d *Desk) RevokeSession(ctx context.Context, a control.Actor, in *RevokeSession) (Done, error) {
	if err := d.Accounts.RevokeSession(ctx, a, in.ID); err != nil {
		return Done{}, err
	}
	return done("The session has ended."), nil
}

// ListTokens asks for the API tokens of an account.
type ListTokens struct{ InAccount }

// Token is an API token as it is shown: never its text.
type Token struct {
	account.TokenSpec
	ID        string     `json:"id"`
	Account   string     `json:"account"`
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
	UsedFrom  string     `json:"used_from,omitempty"`
	Resting   bool       `json:"owner_must_sign_in" doc:"It does not work until its owner signs in through the identity provider again."`
}

func tokenOf(t account.Token) Token {
	return Token{TokenSpec: t.TokenSpec, ID: t.ID, Account: t.Account, CreatedAt: t.CreatedAt, UsedAt: known(t.UsedAt), UsedFrom: t.UsedFrom, Resting: t.Resting}
}

// Tokens are API tokens, by name.
type Tokens struct {
	Tokens []Token `json:"tokens"`
}

// ListTokens returns the API tokens of an account.
func (d *Desk) ListTokens(ctx context.Context, a control.Actor, in *ListTokens) (Tokens, error) {
	list, err := d.Accounts.Tokens(ctx, a, in.Name)
	out := Tokens{Tokens: make([]Token, 0, len(list))}
	for _, t := range list {
		out.Tokens = append(out.Tokens, tokenOf(t))
	}
	return out, err
}

// CreateToken makes an API token of the actor's own account.
type CreateToken struct {
	Body NewToken `json:"token"`
}

// NewToken says what an API token may do, and until when.
type NewToken struct {
	Name   string       `json:"name" maxLength:"63" doc:"An id, unique in the account."`
	Role   control.Role `json:"role" enum:"landlord,tenant-admin,reader" doc:"Not above that of the account."`
	Tenant string       `json:"tenant,omitempty" maxLength:"63" doc:"The tenant that it is for; not beyond that of the account."`
	Days   int          `json:"days" minimum:"1" maximum:"365" doc:"After how many days it ends."`
}

// CreatedToken is a new API token, the only time that its text is shown.
type CreatedToken struct {
	Token
	Text string `json:"text"`
}

// CreateToken makes an API token of the actor's own account. It is asked for by
// whoever has signed in: API tokens make no API tokens.
func (d *Desk) CreateToken(ctx context.Context, a control.Actor, in *CreateToken) (CreatedToken, error) {
	if in.Body.Days < 1 || in.Body.Days > 365 {
		return CreatedToken{}, Invalid(config.Problem{Path: "days", Message: "is not within 1 and 365"})
	}
	text, t, err := d.Accounts.CreateToken(ctx, a, account.TokenSpec{
		Name: in.Body.Name, Role: in.Body.Role, Tenant: in.Body.Tenant, Expires: d.now().Add(time.Duration(in.Body.Days) * 24 * time.Hour),
	})
	return CreatedToken{Token: tokenOf(t), Text: text.Reveal()}, err
}

// RevokeToken deletes an API token.
type RevokeToken struct {
	ID string `path:"token" json:"id" maxLength:"200" doc:"Id of the API token."`
}

// RevokeToken deletes an API token: it works no more.
func (d *Desk) RevokeToken(ctx context.Context, a control.Actor, in *RevokeToken) (Done, error) {
	if err := d.Accounts.RevokeToken(ctx, a, in.ID); err != nil {
		return Done{}, err
	}
	return done("The API token works no more."), nil
}
