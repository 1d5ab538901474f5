// main.go: a soak of Go's runtime: goroutines that can only be preempted by its signal (SIGURG), while garbage is collected all the time. Each is an actor, which
// does its rounds until time is up and panics where a result is wrong; so does whoever watches, if one does not go on. SOAK SECONDS SEED.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const stalled = 900 // looks, ten in a second

type actor struct {
	name   string
	rounds uint64
	over   uint32
	dice   *rand.Rand
}

var (
	stop   uint32
	actors []*actor
	all    sync.WaitGroup
)

func check(holds bool, what string, values ...any) {
	if !holds {
		panic(fmt.Sprintln(append([]any{"wrong:", what}, values...)...))
	}
}

func try(e error) {
	if e != nil {
		panic(e)
	}
}

// begin makes one actor of each function.
func begin(name string, seed int64, round ...func(*actor)) {
	for i, each := range round {
		a, each := &actor{name: fmt.Sprint(name, i), dice: rand.New(rand.NewSource(seed + int64(len(actors))))}, each
		actors = append(actors, a)
		all.Add(1)
		go func() {
			defer all.Done()
			for ended := false; !ended; ended = atomic.LoadUint32(&stop) != 0 { // one round at least
				each(a)
				atomic.AddUint64(&a.rounds, 1)
			}
			atomic.StoreUint32(&a.over, 1)
		}()
	}
}

// watch panics, with all stacks, if an actor's rounds stay what they are.
func watch() {
	seen, looks := make([]uint64, len(actors)), make([]int, len(actors))
	for {
		time.Sleep(100 * time.Millisecond)
		for i, a := range actors {
			rounds := atomic.LoadUint64(&a.rounds) + uint64(atomic.LoadUint32(&a.over))
			if looks[i]++; rounds != seen[i] || atomic.LoadUint32(&a.over) != 0 {
				seen[i], looks[i] = rounds, 0
			}
			check(looks[i] < stalled, "does not go on", a.name, rounds)
		}
	}
}

func times(n int, round func(*actor)) []func(*actor) {
	list := make([]func(*actor), n)
	for i := range list {
		list[i] = round
	}
	return list
}

func main() {
	seconds, e := strconv.Atoi(os.Args[1])
	try(e)
	seed, e := strconv.ParseInt(os.Args[2], 10, 64)
	try(e)
	debug.SetTraceback("all")
	begin("integers", seed, times(2, integers)...)
	begin("floats", seed, times(2, floats)...)
	begin("vectors", seed, vectors)
	begin("spins", seed, spins)
	begin("trees", seed, times(2, trees)...)
	begin("maps", seed, maps)
	begin("stacks", seed, stacks)
	begin("finalizers", seed, finalizers)
	begin("collector", seed, collector)
	begin("pipeline", seed, pipeline)
	begin("selects", seed, selects)
	begin("locks", seed, locks)
	begin("threads", seed, threads)
	begin("faults", seed, faults)
	begin("pipes", seed, pipes)
	begin("signals", seed, signals)
	begin("processes", seed, processes)
	begin("profiles", seed, profiles)
	go watch()
	time.Sleep(time.Duration(seconds) * time.Second)
	atomic.StoreUint32(&stop, 1)
	all.Wait()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	for _, a := range actors {
		fmt.Fprint(os.Stderr, a.name, " ", a.rounds, ", ")
	}
	fmt.Fprintln(os.Stderr)
	fmt.Printf("held: %d collections, %d preempted, %d faults, %d signals\n", stats.NumGC, preempted, recovered, signalled)
}
