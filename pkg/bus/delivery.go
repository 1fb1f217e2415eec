package bus

import (
	"sync"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// A delivery hands the messages of one pull consumer to whoever receives from
// the subscription's channel, and keeps those that nobody took before quit.
//
// They are given back only when the server knows that this consumer has ended:
// a message NAKed before would come right back to its open pull, and each such
// round counts as a delivery.
type delivery struct {
	subscription *Subscription
	quit         chan struct{}

	mu       sync.Mutex
	untaken  []jetstream.Msg
	returned bool
}

func (d *delivery) deliver(msg jetstream.Msg) {
	select {
	case <-d.quit:
	default:
		select {
		case d.subscription.messages <- newMessage(d.subscription.conn, d.subscription.source, msg):
			return
		case <-d.quit:
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.returned { // a consumer stopped without a connection may still be in its last call
		d.nak(msg)
		return
	}
	d.untaken = append(d.untaken, msg)
}

func (d *delivery) giveBack() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.returned = true
	for _, msg := range d.untaken {
		d.nak(msg)
	}
	d.untaken = nil
}

func (d *delivery) nak(msg jetstream.Msg) {
	if err := msg.Nak(); err != nil {
		d.subscription.logger.Debug("a message nobody took could not be given back; it comes again after its ack wait", zap.Error(err))
	}
}
