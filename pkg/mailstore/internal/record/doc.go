// Package record turns a mail into the rows that both back ends store. It is
// the last boundary before the databases: text becomes valid UTF-8 without NUL,
// what is indexed or listed gets a bounded length, and times that no database
// holds are dropped. What is shortened is listed among the mail's defects.
package record
