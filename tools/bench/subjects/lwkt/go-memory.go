// Go: 10,000 goroutines that have run and are blocked on a channel: bytes of memory in use for each.
package main

import (
	"fmt"
	"runtime"
	"time"
)

const goroutines = 10_000

func main() {
	runtime.GOMAXPROCS(1)
	forGood := make(chan int)
	blocked := 0
	runtime.GC()
	before := residentBytes()
	for i := 0; i < goroutines; i++ {
		go func() {
			blocked++
			<-forGood
		}()
	}
	for blocked < goroutines {
		time.Sleep(time.Millisecond)
	}
	fmt.Printf("{\"bytes\": %d}\n", (residentBytes()-before)/goroutines)
}
