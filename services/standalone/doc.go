// Package standalone turns a service into a process of its own: it reads the
// installation's settings from the environment and runs the service. What a
// service does belongs in the service's package.
package standalone
