/*
 * central-stack.cc - V8 14 and later (Node 26): how large V8 takes the running stack for. V8 keeps it in one word of the isolate for all threads, set with the stack's
 * limit, and ends the process where JavaScript overflows a stack outside of it ("IsOnCentralStack()"): after a thread with a small stack has begun, an
 * endless recursion on the event loop, or on a thread with a larger one, was no RangeError any more.
 *
 * So the word goes with the thread at a switch. It is found when the first userthread of an environment sets its limit, by looking which word of the isolate
 * becomes the difference between the start of the stack and that. Older V8s have none.
 *
 * Invariant: while JavaScript of a thread runs, the word is what V8 has written for that thread.
 */
#include "../cpu.h"
#include "read-memory.h"

namespace libcr {

namespace {

const size_t kIsolateBytes = 128 * 1024;  // that are looked at, if there are so many

}  // namespace

void set_stack_limit(Cpu* cpu, uintptr_t limit) {
  v8::Isolate* isolate = cpu->isolate;
  uint64_t size = reinterpret_cast<uintptr_t>(lwkt_stack_end(lwkt_curthread())) - limit;
  const uint64_t step = 64;
  std::vector<uint64_t> before, first, second;
  size_t found = 0, count = 0;

  if (cpu->looked_for_central_size || V8_MAJOR_VERSION < 14) return isolate->SetStackLimit(limit);
  cpu->looked_for_central_size = true;
  before = read_memory<uint64_t>(isolate, kIsolateBytes);
  isolate->SetStackLimit(limit + step);
  first = read_memory<uint64_t>(isolate, kIsolateBytes);
  isolate->SetStackLimit(limit);
  second = read_memory<uint64_t>(isolate, kIsolateBytes);
  for (size_t i = 0; i < before.size() && i < first.size() && i < second.size(); i++)
    if (first[i] == size - step && second[i] == size) found = i, count++;
  if (count != 1) return;
  cpu->thread0_central_size = before[found];
  cpu->central_size = reinterpret_cast<uint64_t*>(isolate) + found;
}

}  // namespace libcr
