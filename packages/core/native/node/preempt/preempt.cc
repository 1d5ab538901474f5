/*
 * preempt.cc - taking the CPU from a JavaScript userthread that computes. (DragonFly: lwkt_preempt is another thing; this is what its clock does to user processes)
 *
 * The Hardclock asks V8 for an interrupt; V8 calls on_interrupt at the next function entry or loop back edge of whoever runs then. If that is a preemptible thread
 * whose slice is over, at a place that allows it, it does what yieldNow() does, natively: puts its async context aside and switches to the event loop.
 *
 * A thread that is to be terminated is told when it goes on, by V8's TerminateExecution: JavaScript ends up to the thread's first function, and
 * no finally block runs. (An exception that is thrown here is ignored by V8.)
 *
 * Invariants:
 *  - td_data of a JavaScript userthread is a Preemptible exactly while it is in a region; TDF_PREEMPTIBLE is set exactly while that has a slice.
 *  - Who is not preemptible never comes here but to leave at once, and pays nothing elsewhere.
 */
#include "preempt.h"

#include <memory>

#include "../state/async-ids.h"
#include "../state/continuation.h"
#include "../cpu.h"
#include "../functions.h"
#include "hardclock.h"
#include "watch-loop.h"

namespace libcr {

static const uint32_t kTracePreempted = 23;  // LWKT_TRACE_MARK and up are ours: src/trace/kinds.ts

static Preemptible* preemptible_of(lwkt_thread_t td) { return static_cast<Preemptible*>(td->td_data); }

void begin_slice(Cpu* cpu, lwkt_thread_t td) {
  Preemptible* region = preemptible_of(td);

  region->begun = uv_hrtime();
  if (cpu->hardclock) cpu->hardclock->arm(td, region->begun + region->slice);  // not while the environment ends
}

void note_loop(Cpu* cpu) {
  // libuv would say 0 because of our own handle, which keeps it from sleeping; and it says 0 where there is nothing at all that it could wait for.
  if (cpu->active) uv_idle_stop(&cpu->idle);
  int timeout = uv_loop_alive(cpu->loop) ? uv_backend_timeout(cpu->loop) : -1;
  if (cpu->active) uv_idle_start(&cpu->idle, [](uv_idle_t*) {});
  cpu->hardclock->loop_due(timeout < 0 ? UINT64_MAX : timeout == 0 ? 0 : (uv_now(cpu->loop) + static_cast<uint64_t>(timeout)) * 1000000);
}

static void preempt(Cpu* cpu, lwkt_thread_t td) {
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  v8::Isolate::AllowJavascriptExecutionScope allow(isolate);  // what runs until we are back is other threads' JavaScript
  v8::Local<v8::Context> context = cpu->context.Get(isolate);
  v8::Local<v8::Data> continuation = get_continuation(isolate);
  AsyncIds::Saved ids;

  cpu->hardclock->disarm();
  preemptible_of(td)->count++;
  if (cpu->async_ids) ids = cpu->async_ids->save(context, static_cast<uint32_t>(cpu->shared[kAsyncBase]));
  if (cpu->traced) lwkt_trace_mark(kTracePreempted, 0, preemptible_of(td)->count, 0);
  {
    Away away(cpu);
    NapiScopesAside scopes(cpu);
    lwkt_pass_end();
    lwkt_yield();
  }
  if (cpu->async_ids) cpu->shared[kAsyncBase] = static_cast<int32_t>(cpu->async_ids->restore(context, ids));
  set_continuation(isolate, continuation);
  begin_slice(cpu, td);
}

/**
 * Whether to preempt a thread in a loop that V8 has optimized: all such code is lost with it, and made again, which takes about as long as a slice. So a place
 * that costs nothing (a function's entry) is given time to come, and more of it where nobody is known to wait.
 */
static bool worth_it(Hardclock* clock, uint64_t due) {
  const uint64_t grace = 10000000, quiet = 1000000000;  // ns
  uint64_t now = uv_hrtime();

  return now >= due + grace && (now >= due + quiet || clock->somebody_waits(now));
}

void on_interrupt(v8::Isolate* isolate, void* data) {
  auto* clock = static_cast<Hardclock*>(data);
  Cpu* cpu = clock->cpu();

  if (!cpu || cpu->isolate != isolate) return;
  look_who_keeps_the_loop(cpu);
  lwkt_thread_t td = lwkt_curthread();
  if (!(td->td_flags & TDF_PREEMPTIBLE)) return;
  uint64_t due = clock->due(td);
  if (due == 0 || uv_hrtime() < due) return;
  if (cpu->terminating) return isolate->TerminateExecution();
  if (!may_end(cpu, td, false)) return;
  if (preemptible_of(td)->terminate) return isolate->TerminateExecution();
  if (!may_preempt(td)) return;
  bool loop = in_optimized_loop(td);
  if (loop && !worth_it(clock, due)) return;
  preempt(cpu, td);
  if (loop) forget_values(cpu);
  if (cpu->terminating || preemptible_of(td)->terminate) isolate->TerminateExecution();
}

/** td's slice is over where a critical section or an inner region ends or begins. That is a good place, and where those follow each other closely the only one. */
static void overdue(Cpu* cpu, lwkt_thread_t td, uint64_t due, uint64_t now) {
  Preemptible* region = preemptible_of(td);
  const uint64_t look = 1000000;  // ns

  if (now >= region->look) {
    region->look = now + look;
    if ((region->terminate || cpu->hardclock->wanted(due, now)) && may_end(cpu, td, true)) {
      if (may_preempt(td)) preempt(cpu, td);
      if (region->terminate) request_termination(cpu);
      return;
    }
  }
  cpu->hardclock->arm(td, now + look);
}

bool end_terminated(Cpu* cpu, lwkt_thread_t td, uint32_t* preemptions) {
  std::unique_ptr<Preemptible> region(preemptible_of(td));

  td->td_data = nullptr;
  td->td_flags &= ~TDF_PREEMPTIBLE;
  if (!region || !region->terminate || cpu->terminating) return false;
  *preemptions = region->count;
  cpu->isolate->CancelTerminateExecution();
  repeat_termination(cpu);
  return !cpu->isolate->IsExecutionTerminating();
}

/** preempt(slice): the running userthread, in a region from now on, is preemptible in slices of so many ms; 0: a critical section. -> 0, or an errno. */
void Preempt(Args args) {
  Cpu* cpu = current_cpu();
  lwkt_thread_t td = lwkt_curthread();
  double slice = args[0].As<v8::Number>()->Value();

  if (!cpu->hardclock && !(cpu->hardclock = Hardclock::begin(cpu))) return args.GetReturnValue().Set(EAGAIN);
  uint64_t now = uv_hrtime();
  if (!td->td_data) {
    td->td_data = new Preemptible();
    preemptible_of(td)->begun = cpu->hardclock->left(td, now);
    note_loop(cpu);
  }
  Preemptible* region = preemptible_of(td);
  region->slice = static_cast<uint64_t>(slice * 1e6);
  if (slice > 0) {
    uint64_t due = region->begun + region->slice;
    td->td_flags |= TDF_PREEMPTIBLE;
    args.GetReturnValue().Set(0);
    if (now < due) cpu->hardclock->arm(td, due);
    else overdue(cpu, td, due, now);
    return;
  } else {
    td->td_flags &= ~TDF_PREEMPTIBLE;
    cpu->hardclock->disarm();
  }
  args.GetReturnValue().Set(0);
}

/** preemptEnd() -> how often the running userthread has been preempted in the region that it leaves now. */
void PreemptEnd(Args args) {
  lwkt_thread_t td = lwkt_curthread();
  std::unique_ptr<Preemptible> region(preemptible_of(td));

  td->td_data = nullptr;
  td->td_flags &= ~TDF_PREEMPTIBLE;
  if (current_cpu()->hardclock && region) current_cpu()->hardclock->leave(td, region->begun);
  args.GetReturnValue().Set(region ? region->count : 0u);
}

static Preemptible* region_of(Args args) {
  lwkt_thread_t td = thread_of(current_cpu(), args);

  return td && !is_native(td) ? preemptible_of(td) : nullptr;
}

/** preemptions(slot) -> how often it has been preempted in its region; 0 where it is in none. */
void Preemptions(Args args) {
  Preemptible* region = region_of(args);

  args.GetReturnValue().Set(region ? region->count : 0u);
}

/** terminate(slot): it ends as soon as it computes in its region, if it is in one. */
void Terminate(Args args) {
  Preemptible* region = region_of(args);

  if (region) region->terminate = true;
}

/** setupAsyncIds(fields, ids, wrap, resources, kStackLength, kExecutionAsyncId, kTriggerAsyncId) */
void SetupAsyncIds(Args args) {
  Cpu* cpu = current_cpu();
  const uint32_t constants[] = {args[4].As<v8::Uint32>()->Value(), args[5].As<v8::Uint32>()->Value(), args[6].As<v8::Uint32>()->Value()};

  cpu->async_ids = std::make_unique<AsyncIds>(cpu->isolate, args[0].As<v8::Uint32Array>(), args[1].As<v8::Float64Array>(), args[2].As<v8::Object>(),
                                              args[3].As<v8::Array>(), constants);
}

/** ownScripts(prefix): what begins with it is ours, or a sister package's, and is never preempted. */
void OwnScripts(Args args) {
  v8::String::Utf8Value prefix(args.GetIsolate(), args[0]);

  current_cpu()->own_scripts.emplace_back(*prefix, prefix.length());
}

}  // namespace libcr
