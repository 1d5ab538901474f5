// compute.go: loops without a call. Nothing but SIGURG gets a goroutine out of them, at whatever instruction, and all that it has is in registers.
package main

import (
	"bytes"
	"crypto/sha256"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	factor  = 6364136223846793005
	summand = 1442695040888963407
)

// jump says what n steps of integers' loop make of x, in few.
func jump(x uint64, n int) uint64 {
	a, c := uint64(factor), uint64(summand)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			x = x*a + c
		}
		c, a = c*a+c, a*a
	}
	return x
}

func integers(a *actor) {
	x, y, z := a.dice.Uint64(), a.dice.Uint64(), a.dice.Uint64()
	n := 1_000_000 + a.dice.Intn(20_000_000)
	expected := [3]uint64{jump(x, n), jump(y, n), jump(z, n)}
	for i := 0; i < n; i++ {
		x, y, z = x*factor+summand, y*factor+summand, z*factor+summand
	}
	check([3]uint64{x, y, z} == expected, "integers", n)
}

// floats: sums of whole numbers below 2^53 are exact.
func floats(a *actor) {
	n := 1_000_000 + a.dice.Intn(5_000_000)
	var s, t, u, v, w, x, y, z float64
	for i := 1.0; i <= float64(n); i++ {
		s, t, u, v, w, x, y, z = s+i, t+2*i, u+3*i, v+4*i, w+5*i, x+6*i, y+7*i, z+8*i
	}
	one := float64(n) * float64(n+1) / 2
	check([8]float64{s, t, u, v, w, x, y, z} == [8]float64{one, 2 * one, 3 * one, 4 * one, 5 * one, 6 * one, 7 * one, 8 * one}, "floats", n)
}

var (
	text   = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	digest = sha256.Sum256(text)
)

// vectors: the library's assembly, in which a signal finds the wide registers in use.
func vectors(a *actor) {
	from := 16 * a.dice.Intn(1<<10)
	copied := append(make([]byte, 0, len(text)), text[from:]...)
	copied = append(copied, text[:from]...)
	check(bytes.Equal(copied, text), "a copy")
	check(sha256.Sum256(copied) == digest, "a digest")
	copied[len(copied)-1-from] = '!'
	check(bytes.IndexByte(copied, '!') == len(copied)-1-from, "a byte's index")
	check(bytes.Count(text, []byte{'7'}) == len(text)/16, "a count")
}

var preempted uint64

// spins: more goroutines than there ever are processors wait in a loop for one that can't run before one of them is preempted.
func spins(a *actor) {
	var free uint32
	var group sync.WaitGroup
	count := runtime.GOMAXPROCS(0) + 1
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			for atomic.LoadUint32(&free) == 0 {
			}
			group.Done()
		}()
	}
	for i := 0; i < 3; i++ {
		runtime.Gosched() // they run now
		preempted++
	}
	atomic.StoreUint32(&free, 1)
	group.Wait()
}
