// Go: a request and its reply through two unbuffered channels between two goroutines on one processor: nanoseconds for the round trip.
package main

import "runtime"

const roundTrips = 500_000

func main() {
	runtime.GOMAXPROCS(1)
	requests, replies := make(chan int), make(chan int)
	go func() {
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
