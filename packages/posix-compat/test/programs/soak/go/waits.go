// waits.go: goroutines that wait for one another. What is sent is all received, once.
package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func pipeline(a *actor) {
	const workers, numbers = 20, 500
	in, out := make(chan *int), make(chan *int, a.dice.Intn(10))
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range in {
				garbage := make([]byte, 1000)
				m := *n*2 + int(garbage[*n%1000])
				out <- &m
			}
		}()
	}
	go func() {
		for i := 0; i < numbers; i++ {
			n := i
			in <- &n
		}
		close(in)
		group.Wait()
		close(out)
	}()
	sum := 0
	for n := range out {
		sum += *n
	}
	check(sum == numbers*(numbers-1), "a pipeline's sum", sum)
}

// selects: two senders, a timer and an end.
func selects(a *actor) {
	ends, end := context.WithTimeout(context.Background(), time.Duration(1+a.dice.Intn(20))*time.Millisecond)
	defer end()
	began, left, right := time.Now(), make(chan int), make(chan int, 3)
	sent := [2]int{}
	var group sync.WaitGroup
	for i, to := range []chan int{left, right} {
		i, to := i, to
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				select {
				case to <- sent[i]:
					sent[i]++
				case <-ends.Done():
					close(to)
					return
				}
			}
		}()
	}
	got, ticks := [2]int{}, time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for left != nil || right != nil {
		select {
		case n, ok := <-left:
			if !ok {
				left = nil
				continue
			}
			check(n == got[0], "in order", n, got)
			got[0]++
		case n, ok := <-right:
			if !ok {
				right = nil
				continue
			}
			check(n == got[1], "in order", n, got)
			got[1]++
		case now := <-ticks.C:
			check(!now.Before(began), "a ticker", now, began)
		}
	}
	deadline, _ := ends.Deadline()
	check(!time.Now().Before(deadline), "an end too early")
	group.Wait()
	check(got == sent, "all received", got, sent)
}

func locks(a *actor) {
	var mutex sync.Mutex
	var both sync.RWMutex
	var group sync.WaitGroup
	var pool = sync.Pool{New: func() any { return new([64]int) }}
	turn, turns, counted, pair := 0, sync.NewCond(&mutex), 0, [2]int{}
	const workers, rounds = 8, 10
	for i := 0; i < workers; i++ {
		i := i
		group.Add(1)
		go func() {
			defer group.Done()
			for n := 0; n < rounds; n++ {
				mutex.Lock()
				for turn != i {
					turns.Wait()
				}
				counted++
				turn = (turn + 1) % workers
				turns.Broadcast()
				mutex.Unlock()
				both.Lock()
				pair[0]++
				spare := pool.Get().(*[64]int)
				spare[n%64] = n
				pool.Put(spare)
				pair[1]++
				both.Unlock()
				both.RLock()
				check(pair[0] == pair[1], "a pair", pair)
				both.RUnlock()
			}
		}()
	}
	group.Wait()
	check(counted == workers*rounds && pair[0] == counted, "what was counted", counted, pair)
}

// threads: a goroutine with a kernel thread of its own, that ends with it.
func threads(a *actor) {
	var done uint32
	var group sync.WaitGroup
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.LockOSThread()
			time.Sleep(time.Duration(i) * 100 * time.Microsecond)
			atomic.AddUint32(&done, 1)
		}()
	}
	group.Wait()
	check(done == 4, "threads")
}
