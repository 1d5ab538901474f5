// Go: 1,000 goroutines that do next to nothing, on one processor, then waited for: nanoseconds for one, from its creation to its end.
package main

import (
	"runtime"
	"sync"
)

const (
	batch   = 1_000
	batches = 50
)

func main() {
	runtime.GOMAXPROCS(1)
	sample(batch*batches, func() {
		for i := 0; i < batches; i++ {
			var all sync.WaitGroup
			all.Add(batch)
			for j := 0; j < batch; j++ {
				go all.Done()
			}
			all.Wait()
		}
	})
}
