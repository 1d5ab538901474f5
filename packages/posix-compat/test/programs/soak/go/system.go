// system.go: signals that are none of the preemption's, beside it: faults, those of other processes, the profiler's, children's ends. And descriptors that Go polls.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"
	"unsafe"
)

var recovered, signalled uint64

// faulting says what a function panics with.
func faulting(fault func()) (text string) {
	defer func() {
		e := recover()
		text = e.(runtime.Error).Error()
		recovered++
	}()
	fault()
	return
}

var nowhere *tree

const noPointer = "runtime error: invalid memory address or nil pointer dereference"

func faults(a *actor) {
	zero, index := a.dice.Intn(1), 5+a.dice.Intn(5)
	check(faulting(func() { nowhere.value++ }) == noPointer, "a nil pointer")
	check(faulting(func() { zero = index / zero }) == "runtime error: integer divide by zero", "a division")
	check(faulting(func() { kept[""] = text[len(text)+index:] }) != "", "a slice")
	page, e := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	try(e)
	defer syscall.Munmap(page)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	at := fmt.Sprintf("%x", uintptr(unsafe.Pointer(&page[index])))
	said := faulting(func() { page[index]++ })
	check(said == "runtime error: invalid memory address or nil pointer dereference" || bytes.Contains([]byte(said), []byte(at)), "a page without rights", said, at)
}

// pipes: what is read is what was written, by goroutines that wait in Go's epoll.
func pipes(a *actor) {
	reader, writer, e := os.Pipe()
	try(e)
	n := a.dice.Intn(len(text))
	go func() {
		for rest := text[:n]; len(rest) > 0; {
			piece := 1 + a.dice.Intn(100_000)
			if piece > len(rest) {
				piece = len(rest)
			}
			_, e := writer.Write(rest[:piece])
			try(e)
			rest = rest[piece:]
		}
		try(writer.Close())
	}()
	got, e := io.ReadAll(reader)
	try(e)
	check(bytes.Equal(got, text[:n]), "what came out of a pipe", len(got), n)
	try(reader.Close())
}

func signals(a *actor) {
	sig := []syscall.Signal{syscall.SIGUSR1, syscall.SIGWINCH, syscall.Signal(40)}[a.dice.Intn(3)]
	got := make(chan os.Signal, 1)
	signal.Notify(got, sig)
	for i := 0; i < 20; i++ {
		try(syscall.Kill(os.Getpid(), sig))
		check(<-got == sig, "a signal", sig)
		signalled++
	}
	signal.Stop(got)
	time.Sleep(time.Duration(a.dice.Intn(3)) * time.Millisecond)
}

func processes(a *actor) {
	status := a.dice.Intn(100)
	child := exec.Command("/bin/sh", "-c", fmt.Sprintf("echo %d; exit %d", status, status))
	out, e := child.Output()
	check(string(out) == fmt.Sprintln(status) && child.ProcessState.ExitCode() == status, "a child", string(out), e)
	time.Sleep(time.Duration(a.dice.Intn(50)) * time.Millisecond)
}

// profiles: SIGPROF a hundred times a second, by timers of each thread's CPU time.
func profiles(a *actor) {
	var profile bytes.Buffer
	try(pprof.StartCPUProfile(&profile))
	time.Sleep(time.Duration(a.dice.Intn(300)) * time.Millisecond)
	pprof.StopCPUProfile()
	check(profile.Len() > 0, "a profile")
	time.Sleep(time.Duration(a.dice.Intn(300)) * time.Millisecond)
}
