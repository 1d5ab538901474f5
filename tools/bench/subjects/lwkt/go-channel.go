// Go: a request and its reply through two unbuffered channels between two goroutines: nanoseconds for the round trip. On one processor; with the
// argument "threads", on two, each goroutine on a kernel thread of its own (left to itself Go would run both on one).
package main

import (
	"os"
	"runtime"
)

func main() {
	threads := len(os.Args) > 1 && os.Args[1] == "threads"
	roundTrips := 500_000
	runtime.GOMAXPROCS(1)
	if threads {
		roundTrips = 50_000
		runtime.GOMAXPROCS(2)
		runtime.LockOSThread()
	}
	requests, replies := make(chan int), make(chan int)
	go func() {
		if threads {
			runtime.LockOSThread()
		}
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
