// Package oidc lets people in whom an OpenID Connect provider knows:
// authorisation code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC
// 7636, RFC 9207, RFC 9700). Role and tenant come from claims of the ID token.
//
// Begin says where to send the browser and which cookie to give it, Finish makes
// an identity of the provider's answer, and account.Store.SignInExternal makes
// the session. Cookies and redirects are the console's business.
//
// The provider is asked for its endpoints when somebody wants to sign in, not
// before: while it is down, all the rest works.
package oidc
