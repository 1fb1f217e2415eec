// Package leaseserver is an embedded Redis (miniredis) for a program that runs
// alone, and for tests. It keeps everything in memory and listens on loopback
// with a password. Nothing else than what package lease needs belongs here.
package leaseserver
