// Package configwatch keeps a service's view of the configuration current: it
// watches the bucket CONFIG and puts the records of tenants, folders and
// mailboxes together. It links no SQL and reads no secrets: what it hands out
// holds ciphertext only.
//
// The bucket is a copy. While it is away, or wiped, the last known views stay
// in force; they are replaced only by what the publisher of package control
// asserts again.
package configwatch
