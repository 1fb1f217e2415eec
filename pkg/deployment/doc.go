// Package deployment reads how an installation is put together: where NATS,
// Redis and the databases are, where mail servers may be and who of them may be
// spoken to in clear text, and where administrators come in. Tenants,
// folders and mailboxes do not belong here: they are documents in the control
// database.
//
// A YAML file gives the settings, environment variables override it, and a
// variable that ends in _FILE names a file that holds the value, so that no
// secret has to stand in either.
package deployment
