// Package fault classifies errors by what is to be done about them. Whoever
// knows decides: a package that fails wraps its error here, and whoever handles
// it asks, without looking at texts. An error that is not classified is
// retryable.
package fault
