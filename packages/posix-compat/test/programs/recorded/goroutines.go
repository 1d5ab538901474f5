// goroutines.go - for recordings: goroutines that sleep, collect garbage and share a lock; what it prints depends on all of that.

package main

import (
	"fmt"
	"math/rand"
	"os"
	"sync"
	"time"
)

func main() {
	var group sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	results := make(chan int, 100)
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			time.Sleep(time.Duration(rand.Intn(2000)) * time.Microsecond)
			made := make([][]byte, 0)
			for k := 0; k < 200; k++ {
				made = append(made, make([]byte, 10000))
			}
			lock.Lock()
			sum += len(made) + rand.Intn(100)
			lock.Unlock()
			results <- i
		}(i)
	}
	group.Wait()
	close(results)
	for i := range results {
		fmt.Print(i, " ")
	}
	entries, _ := os.ReadDir("/")
	fmt.Println(sum, time.Now().UnixNano(), os.Getpid(), len(entries))
}
