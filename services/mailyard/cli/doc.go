// Package cli is the command line of mailyard: it runs an installation, applies
// and exports its configuration, and shows what became of each mail.
package cli
