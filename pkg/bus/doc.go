// Package bus is mailyard's way of using NATS JetStream: the topology as data,
// publishing that waits for the PubAck, subscriptions that outlive server
// restarts, retries outside the lanes, dead letters, parked mails and claim
// checks. It hides nothing of JetStream that a stage needs to be correct, and
// offers no other broker.
//
// The rule of every stage is "ack last": first the effect and the PubAcks of
// what follows from it, then Ack or Settle. What was not acked is delivered
// again, so every effect must be idempotent on the mail key.
//
// NATS holds in-flight state only. Whoever loses it fetches again: Epoch tells
// that the mail streams are new.
//
// What an event means, and where it is published, belongs in schemas; the
// embedded server in busserver; tools for tests in bustest.
package bus
