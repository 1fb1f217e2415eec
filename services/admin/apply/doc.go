// Package apply is the door for those who speak NATS: every operation of package
// operation as a request on config.v1.apply.<kind>, answered with its result or
// with the problem (contract: schemas/apply).
//
// The header Authorization: Bearer TOKEN says who asks. What is validated, who
// may ask, what the audit tells and what a problem says is as everywhere; the
// audit has "events" for where it came from.
//
// Not here: how requests come and answers go, which is package bus's business.
package apply
