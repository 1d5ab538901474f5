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
	"syscall"
	"time"
)

// Without a round: CPU time of the process, as it may get little of it, and looks, ten in a second, as it may wait for good.
const stalledFor, stalledLooks = 60 * time.Second, 2400

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

func used() time.Duration {
	var usage syscall.Rusage
	try(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// watch panics, with all stacks, if an actor's rounds stay what they are.
func watch() {
	type last struct {
		rounds uint64
		at     time.Duration
		looks  int
	}
	for seen := make([]last, len(actors)); ; time.Sleep(100 * time.Millisecond) {
		now := used()
		for i, a := range actors {
			rounds := atomic.LoadUint64(&a.rounds)
			if rounds != seen[i].rounds || atomic.LoadUint32(&a.over) != 0 {
				seen[i] = last{rounds, now, 0}
			}
			seen[i].looks++
			check(now-seen[i].at < stalledFor && seen[i].looks < stalledLooks, "does not go on", a.name, rounds)
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
