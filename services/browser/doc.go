// Package browser holds the tests that use mailyard as an administrator does: a
// real Chromium, driven over its own protocol, in front of the whole of
// mailyard with its demo mail server. They are tagged full and need
// MAILYARD_TEST_CHROMIUM, the path of the browser.
//
// Pages are found as people find things: by the words on them. Every page that
// is looked at is examined by axe-core (testdata/axe.min.js) too.
package browser
