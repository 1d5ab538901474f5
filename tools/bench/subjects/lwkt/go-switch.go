// Go: two goroutines on one processor that give way to each other: nanoseconds for one runtime.Gosched.
package main

import (
	"runtime"
	"sync"
)

const switches = 1_000_000

func main() {
	runtime.GOMAXPROCS(1)
	sample(switches, func() {
		var both sync.WaitGroup
		both.Add(2)
		for i := 0; i < 2; i++ {
			go func() {
				for i := 0; i < switches/2; i++ {
					runtime.Gosched()
				}
				both.Done()
			}()
		}
		both.Wait()
	})
}
