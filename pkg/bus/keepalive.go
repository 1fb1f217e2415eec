package bus

import "time"

// keepAliveTime is a third of the shortest ack wait.
const keepAliveTime = 10 * time.Second

// KeepAlive extends the ack wait of messages that are worked on, until the
// function that it returns is called.
func KeepAlive(messages ...*Message) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(keepAliveTime)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				for _, m := range messages {
					_ = m.InProgress() // the next tick tries again
				}
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
