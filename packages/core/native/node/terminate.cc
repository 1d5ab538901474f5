/*
 * terminate.cc - when an environment ends with userthreads suspended: each is resumed once with V8 told to terminate, so that the C++
 * frames on its stack are left properly. JavaScript's finally blocks don't run, as with worker.terminate(). Native userthreads, and those that
 * they have created, are interrupted: their waits answer EINTR, and they may clean up and return.
 *
 * Invariant: afterwards no userthread is left on this CPU, unless one refused to end within the time allowed; such stacks are
 * abandoned with their memory (the process or the Worker ends anyway).
 */
#include "cpu.h"

namespace libcr {

static const int kRounds = 16;  // a thread that blocks again while unwinding (in C or C++) gets that many further chances

/** On a userthread, in a native function that JavaScript called: nothing of its JavaScript runs after this. */
void request_termination(Cpu* cpu) {
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);

  isolate->TerminateExecution();
  // V8 looks at the request when a function is entered. Without this the caller could run on to its next call or loop.
  cpu->noop.Get(isolate)->Call(isolate->GetCurrentContext(), v8::Undefined(isolate), 0, nullptr).IsEmpty();
}

void terminate_userthreads(Cpu* cpu) {
  v8::Isolate* isolate = cpu->isolate;

  cpu->terminating = true;
  for (int round = 0; round < kRounds; round++) {
    if (lwkt_interrupt_all() == 0) break;
    lwkt_dispatch(0);
  }
  isolate->CancelTerminateExecution();
  lwkt_pool_trim(0, ~0u);
}

}  // namespace libcr
