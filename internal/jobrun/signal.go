package jobrun

import (
	"os"
	"os/signal"
	"sync"
)

// passOn catches the signals of forwarded, runs start, and hands each signal to take from then on, until
// the returned function is called. A signal that comes before start has returned is handed on after it.
func passOn(take func(os.Signal), start func()) (stop func()) {
	caught := make(chan os.Signal, 16)
	signal.Notify(caught, forwarded()...)
	start()
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			select {
			case s := <-caught:
				take(s)
			case <-done:
				return
			}
		}
	})
	return func() {
		signal.Stop(caught)
		close(done)
		ended.Wait()
	}
}
