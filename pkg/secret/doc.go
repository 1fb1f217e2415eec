// Package secret keeps passwords: a string type that prints as a placeholder,
// and the envelope encryption that stores them.
//
// The landlord's master key (a file) wraps one key per tenant; the tenant's key
// seals the passwords of its mailboxes. Every ciphertext is bound to what it
// belongs to, so a copied one does not decrypt elsewhere. The cryptography is
// Tink's (AES-256-GCM keysets); nothing of it is our own.
//
// Where the ciphertexts are stored is not this package's business.
package secret
