// Go: as go-channel.go, but each of the two goroutines is on a kernel thread of its own (LockOSThread), on two processors: nanoseconds for the
// round trip. Left to itself Go would run both on one thread, which is what go-channel.go measures.
package main

import "runtime"

const roundTrips = 50_000

func main() {
	runtime.GOMAXPROCS(2)
	runtime.LockOSThread()
	requests, replies := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		for n := range requests {
			replies <- n + 1
		}
	}()
	sample(roundTrips, func() {
		for i := 0; i < roundTrips; i++ {
			requests <- i
			if <-replies != i+1 {
				panic("wrong reply")
			}
		}
	})
}
