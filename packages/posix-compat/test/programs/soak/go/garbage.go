// garbage.go: memory whose contents say whether the collector has seen all that is in use: also what only a register of a preempted goroutine points to.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

type tree struct {
	left, right *tree
	value       uint64
}

func grow(depth int, value uint64) *tree {
	if depth == 0 {
		return &tree{value: value}
	}
	return &tree{grow(depth-1, value*2), grow(depth-1, value*2+1), value}
}

func (t *tree) sum() uint64 {
	if t.left == nil {
		return t.value
	}
	return t.left.sum() + t.right.sum()
}

// trees: the leaves below VALUE at DEPTH are a row of numbers. Now and then half of one goes, and grows again, while it's marked.
func trees(a *actor) {
	depth := 4 + a.dice.Intn(11)
	count := uint64(1) << depth
	first := count * 3
	expected := count*first + count*(count-1)/2
	t := grow(depth, 3)
	for i := 0; i < 3; i++ {
		check(t.sum() == expected, "a tree", depth)
		at, value := t, uint64(3)
		for j := 0; j < depth/2; j++ {
			if a.dice.Intn(2) == 0 {
				at, value = at.left, value*2
			} else {
				at, value = at.right, value*2+1
			}
		}
		*at = *grow(depth-depth/2, value)
	}
	check(t.sum() == expected, "a tree that has grown again", depth)
}

var kept = map[string][]byte{}

// maps: they grow while they're read; what is in one says where it belongs.
func maps(a *actor) {
	m := map[uint64]*[]uint64{}
	for i := uint64(0); i < 21_000; i++ {
		slice := make([]uint64, 1+i%17)
		slice[i%17] = i
		m[i*factor] = &slice
		if i%3 == 2 {
			delete(m, (i-1)*factor)
		}
	}
	for key, slice := range m {
		i := (*slice)[len(*slice)-1]
		check(i*factor == key && i%3 != 1, "a map", key, i)
	}
	check(len(m) == 14_000, "a map's length", len(m))
	name := fmt.Sprint("key ", a.dice.Intn(200))
	if text, ok := kept[name]; ok {
		check(len(text) > 100 && string(text[:len(name)]) == name, "what is kept", name)
	}
	kept[name] = append([]byte(name), make([]byte, 100+a.dice.Intn(100_000))...)
}

// deep: its stack is copied to a larger one, with pointers into itself, and made smaller by the collector when it has returned.
func deep(n int, above *int) int {
	var room [40]int
	room[n%40] = *above + 1
	if n == 0 {
		return room[0]
	}
	result := deep(n-1, &room[n%40])
	check(room[n%40] == *above+1, "a stack", n)
	return result
}

func stacks(a *actor) {
	n, start := 100+a.dice.Intn(5000), a.dice.Intn(1000)
	done := make(chan int)
	go func() { done <- deep(n, &start) }()
	check(<-done == start+n+1, "a goroutine's depth", n)
}

// finalizers: each is run once.
func finalizers(a *actor) {
	var run uint32
	const count = 100
	for i := 0; i < count; i++ {
		runtime.SetFinalizer(&tree{value: uint64(i)}, func(t *tree) { atomic.AddUint32(&run, 1) })
	}
	for atomic.LoadUint32(&run) < count-1 { // the last may still be in a register
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	check(atomic.LoadUint32(&run) <= count, "finalizers", run)
}

// collector: all that stops the world.
func collector(a *actor) {
	switch a.dice.Intn(8) {
	case 0:
		debug.SetGCPercent([]int{1, 5, 20, 100}[a.dice.Intn(4)])
	case 1:
		runtime.GOMAXPROCS([]int{1, 2, 3, 8}[a.dice.Intn(4)])
	case 2:
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		check(stats.Mallocs >= stats.Frees, "counts of memory")
	case 3:
		debug.FreeOSMemory()
	case 4:
		text := make([]byte, 1<<20)
		check(runtime.Stack(text, true) > 1000, "stacks")
	default:
		runtime.GC()
	}
	time.Sleep(time.Duration(a.dice.Intn(5000)) * time.Microsecond)
}
