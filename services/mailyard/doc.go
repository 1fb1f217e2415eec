// Package mailyard puts all services and, if the settings ask for them, the
// embedded servers into one process. It adds nothing to what the services do:
// they are made by the same constructors as on a cluster.
package mailyard
