// Package contract checks messages against the JSON Schemas in events/, in a
// strict reading: what a schema does not know is refused, because the services
// are to send nothing that is not written down. Consumers are lenient and do
// not need this package; it is for tests, for watching a running system and
// for finding out what is wrong with a dead letter. It is too slow for the way
// that mail takes.
package contract
