/*
 * terminate.cc - when an environment ends. It is told so by V8's TerminateExecution from another kernel thread, which may come while one userthread
 * hands over to the next: V8 keeps such a request with the thread that it has met, and forgets one that meets none. So it is made again for
 * each thread that begins to run in an environment that is ending (repeat_termination).
 *
 * When it ends with userthreads suspended (ended_with_environment, or at the latest in the cleanup hook), each is resumed once with V8 told to terminate, so that the C++
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

/** Whether Node ends the environment. */
static bool stopping(Cpu* cpu) {
  // Node marks the environment before it asks V8, and Node-API refuses what could run JavaScript from then on: that is asked first in
  // each such function, before the arguments, which are wrong here.
  return napi_throw(cpu->env, nullptr) != napi_invalid_arg;
}

/** On a userthread or thread0, as soon as V8 takes it for the running one. */
void repeat_termination(Cpu* cpu) {
  if (!cpu->terminating && stopping(cpu)) cpu->isolate->TerminateExecution();
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

/**
 * On thread0, at each turn of the loop: whether the environment is ending, and its userthreads with it. A thread may be suspended inside a function of an
 * object of Node's or of an addon's (a database that calls JavaScript). Those objects go before our cleanup hook is called, whatever the order in which they were made; but
 * Node turns its loop once more before.
 */
bool ended_with_environment(Cpu* cpu) {
  struct lwkt_stats stats;
  v8::HandleScope handles(cpu->isolate);

  lwkt_stats(&stats);
  if (cpu->terminating || stats.st_alive == 0 || !stopping(cpu)) return cpu->terminating;
  terminate_userthreads(cpu);
  cpu->isolate->TerminateExecution();  // it was asked for, and is not over
  return true;
}

}  // namespace libcr
