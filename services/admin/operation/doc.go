// Package operation is everything that can be asked of mailyard by those who
// administer it: the one core behind the four doors. Console, REST, command line
// and events call the same methods of a Desk, with the same input, and show the
// same answers and problems.
//
// All lists the operations with their names, their REST routes and who may ask.
// A door that lacks one of them fails a test.
//
// An operation that concerns a tenant begins with the check of the actor: to the
// people of one tenant another one does not exist. What it changes goes through
// package control or package account, which authorise once more, validate, and
// write change, audit entry and event in one transaction.
//
// Not here: how a door authenticates, encodes or looks.
package operation
