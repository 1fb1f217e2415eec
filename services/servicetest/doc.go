// Package servicetest gives the tests of the services what these run on: an
// embedded NATS server, an embedded Redis, a configuration, and a way to run a
// service and to read what it published. What whole scenarios need belongs in
// package e2e.
package servicetest
