// Package account knows who may use mailyard: people with their passwords,
// sessions and API tokens, in the control database next to the audit, which
// tells of every sign-in and of every change here.
//
// No secret is stored. Passwords are kept as argon2id; sessions, API tokens and
// one-time links are 256 random bits, of which SHA-256 is kept. Failed attempts
// are counted in the database, so they count over all replicas.
//
// What an actor may do with tenants, folders and mailboxes is package control's
// business; cookies, forms and headers are the console's and REST's. Sign-in by
// an identity provider is package oidc, which ends in SignInExternal.
package account
