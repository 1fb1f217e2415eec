// Package storetest is the suite that every back end of mailstore passes: what
// a Store promises, shown from outside.
package storetest
