// Package rest is the door for programs: every operation of package operation
// as REST under /api/v1, described by an OpenAPI 3.1 document that is made from
// the same types (schemas/openapi.yaml) and shown on a page, /api/docs.
//
// Whoever asks proves it with an API token, or with the session of the console.
// What cannot be done is answered with a problem of RFC 9457.
//
// Not here: what an operation does, and who may ask for it.
package rest
