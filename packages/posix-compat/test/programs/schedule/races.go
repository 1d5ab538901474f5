// races.go - known races of goroutines: `races NAME` ends with 1, or in a deadlock, in some orders of its goroutines; `races NAME mended` in none. Functions that must not be
// inlined keep what is read apart from what is written: an increment in memory is one instruction, which nothing here interrupts.
package main

import (
	"os"
	"sync"
	"sync/atomic"
)

var mended bool
var mutex, other sync.Mutex

func together(one, two func()) {
	var group sync.WaitGroup
	group.Add(2)
	go func() { one(); group.Done() }()
	go func() { two(); group.Done() }()
	group.Wait()
}

//go:noinline
func successor(n int) int { return n + 1 }

// The number is read, and written later.
func lostUpdate() bool {
	number := 0
	add := func() {
		for i := 0; i < 50; i++ {
			if mended {
				mutex.Lock()
			}
			number = successor(number)
			if mended {
				mutex.Unlock()
			}
		}
	}
	together(add, add)
	return number == 100
}

// What a goroutine uses is set after it was made.
func orderViolation() bool {
	var name atomic.Value
	length := 0
	done := make(chan bool)
	if mended {
		name.Store("hello")
	}
	go func() {
		if found, ok := name.Load().(string); ok {
			length = len(found)
		}
		done <- true
	}()
	if !mended {
		name.Store("hello")
	}
	<-done
	return length == 5
}

func abbaDeadlock() bool {
	number := 0
	both := func(first, second *sync.Mutex) {
		for i := 0; i < 3; i++ {
			first.Lock()
			second.Lock()
			number++
			second.Unlock()
			first.Unlock()
		}
	}
	if mended {
		together(func() { both(&mutex, &other) }, func() { both(&mutex, &other) })
	} else {
		together(func() { both(&mutex, &other) }, func() { both(&other, &mutex) })
	}
	return number == 6
}

// A flag is looked at before the mutex is taken to wait for it.
func lostWakeUp() bool {
	condition := sync.NewCond(&mutex)
	var ready atomic.Bool
	together(func() {
		if mended {
			mutex.Lock()
			for !ready.Load() {
				condition.Wait()
			}
			mutex.Unlock()
		} else if !ready.Load() {
			mutex.Lock()
			condition.Wait()
			mutex.Unlock()
		}
	}, func() {
		if mended {
			mutex.Lock()
		}
		ready.Store(true)
		if mended {
			mutex.Unlock()
		}
		condition.Signal()
	})
	return true
}

func checkThenAct() bool {
	balance := 100
	look := func() int {
		mutex.Lock()
		defer mutex.Unlock()
		return balance
	}
	withdraw := func() {
		if mended {
			other.Lock()
			defer other.Unlock()
		}
		if look() < 80 {
			return
		}
		mutex.Lock()
		balance -= 80
		mutex.Unlock()
	}
	together(withdraw, withdraw)
	return balance >= 0
}

type thing struct{ value atomic.Int64 }

// The pointer is there before what it points to is made.
func doubleCheckedLock() bool {
	var only atomic.Pointer[thing]
	var unmade atomic.Bool
	use := func() {
		if only.Load() == nil {
			mutex.Lock()
			if only.Load() == nil {
				made := new(thing)
				if mended {
					made.value.Store(42)
				}
				only.Store(made)
				made.value.Store(42)
			}
			mutex.Unlock()
		}
		if only.Load().value.Load() != 42 {
			unmade.Store(true)
		}
	}
	together(use, use)
	return !unmade.Load()
}

func main() {
	races := map[string]func() bool{
		"lost-update": lostUpdate, "order-violation": orderViolation, "abba-deadlock": abbaDeadlock,
		"lost-wake-up": lostWakeUp, "check-then-act": checkThenAct, "double-checked-lock": doubleCheckedLock,
	}
	mended = len(os.Args) > 2
	if !races[os.Args[1]]() {
		os.Exit(1)
	}
}
