// Package config reads the configuration documents that administrators write:
// strictly (an unknown key, a wrong type, a value out of range is refused), and
// reporting every problem at once, each with the path of its key.
//
// It knows the rules that a document must keep by itself. What takes other
// documents to decide (does the folder exist, is the username in use) belongs
// to package control, and the types themselves to schemas/config.
package config
