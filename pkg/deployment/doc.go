// Package deployment reads how an installation is put together: where NATS,
// Redis and the databases are, and who may be dialled in clear text. Tenants,
// folders and mailboxes do not belong here: they are documents in the control
// database.
//
// A YAML file gives the settings, environment variables override it, and a
// variable that ends in _FILE names a file that holds the value, so that no
// secret has to stand in either.
package deployment
