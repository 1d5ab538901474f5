// Go that makes garbage: eight goroutines that build and drop trees, hash and sort, on two processors. Nanoseconds for all of it.
package main

import (
	"crypto/sha256"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

const (
	goroutines = 8
	rounds     = 1000
	depth      = 12
)

type node struct {
	left, right *node
	value       int
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{value: 1}
	}
	return &node{tree(depth - 1), tree(depth - 1), depth}
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.value + n.left.sum() + n.right.sum()
}

func work(me int) {
	want := tree(depth).sum()
	for i := 0; i < rounds; i++ {
		if tree(depth).sum() != want {
			panic("a tree is wrong")
		}
		hash := sha256.Sum256([]byte(strings.Repeat(fmt.Sprint(me), 1000)))
		numbers := make([]int, 1000)
		for k := range numbers {
			numbers[k] = int(hash[k%32]) ^ k
		}
		sort.Ints(numbers)
	}
}

func main() {
	var group sync.WaitGroup
	begun := time.Now()
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func(me int) {
			defer group.Done()
			work(me)
		}(i)
	}
	group.Wait()
	fmt.Printf("{\"ns\": %d}\n", time.Since(begun).Nanoseconds())
}
