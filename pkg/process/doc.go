// Package process is the life of a program made of long-running parts: they
// start in order, each when the one before is ready, and stop in reverse; the
// first that fails stops the others. It serves /healthz, /readyz and /metrics,
// and Main, the only place with signals and os.Exit.
//
// What the parts do, their configuration and their flags do not belong here.
package process
