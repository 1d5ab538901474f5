// What the subjects in Go share; sample.h says what and why.
package main

import (
	"fmt"
	"os"
	"sort"
	"time"
)

const (
	warmups = 3
	samples = 7
)

// sample prints the median nanoseconds of one of the operations that each call of stretch does.
func sample(operations int, stretch func()) {
	var figures []float64
	for i := -warmups; i < samples; i++ {
		start := time.Now()
		stretch()
		elapsed := time.Since(start)
		if i >= 0 {
			figures = append(figures, float64(elapsed.Nanoseconds())/float64(operations))
		}
	}
	sort.Float64s(figures)
	fmt.Printf("{\"ns\": %.3f}\n", figures[samples/2])
}

// residentBytes returns the bytes of memory that this process has in use.
func residentBytes() int {
	var size, resident int
	file, err := os.Open("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := fmt.Fscan(file, &size, &resident); err != nil {
		panic(err)
	}
	return resident * os.Getpagesize()
}
