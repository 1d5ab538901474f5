/*
 * resident.cc - how JavaScript runs on a userthread: what stands at the bottom of its stack, and the switch around which V8 is left
 * and entered by its front door.
 *
 * V8 lets several threads share an isolate, one at a time (v8::Locker), and tells them apart by thread-local variables. A userthread
 * has its own %fs, so to V8 it is a thread. The resident enters V8 once and then runs one userthread after the other on its stack.
 *
 * Invariants:
 *  - A resident stays entered (v8::Isolate::Enter) for its whole life: V8's entry record is never popped at a switch. That is sound
 *    because V8 archives and restores the rest of a thread's state with its lock, and because all residents' entry records are alike
 *    and are pushed and popped only from passes, when thread0 stands at its own base level. (docs/decisions/0001-stay-entered.md)
 *  - Between leaving the lock and having it again nothing here touches a handle.
 */
#include "cpu.h"

#include <cerrno>

#include "continuation.h"

namespace libcr {

// Stack kept free below V8's limit for the C++ that JavaScript calls: Node's own, and other addons'.
static size_t native_reserve(size_t stack_size) {
  const size_t reserve = 56 * 1024;
  return stack_size / 3 < reserve ? stack_size / 3 : reserve;
}

/** Where V8 stops on td's stack. */
static uintptr_t js_limit(lwkt_thread_t td) {
  return reinterpret_cast<uintptr_t>(lwkt_stack_base(td)) + native_reserve(td->td_stack_size);
}

/** How much of the running userthread's stack is left for JavaScript. */
size_t stack_room() {
  uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), limit = js_limit(lwkt_curthread());

  return here > limit ? here - limit : 0;
}

void js_switch(lwkt_context* from, lwkt_context* to) {
  v8::Isolate* isolate = current_cpu()->isolate;

  {
    v8::Unlocker unlocker(isolate);
    lwkt_light_switch(from, to);
  }
  // Entering twice is a counter to V8, but it notes where this stack begins, for its garbage collector's conservative scan.
  isolate->Enter();
  isolate->Exit();
  repeat_termination(current_cpu());  // asked again: another register kept above is one more page of stack for each thread
}

static void run_job(Cpu* cpu, v8::Local<v8::Context> context) {
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  lwkt_thread_t td = lwkt_curthread();
  uint32_t slot = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(td->td_arg));
  v8::Local<v8::Value> argument = v8::Integer::NewFromUnsigned(isolate, slot);

  lwkt_crit_exit();  // the section it was born in
  if (cpu->continuation[slot].IsEmpty()) {
    set_continuation(isolate, v8::Undefined(isolate));
  } else {
    set_continuation(isolate, cpu->continuation[slot].Get(isolate));
    cpu->continuation[slot].Reset();
  }
  if (!cpu->terminating) {
    v8::TryCatch caught(isolate);  // entry() catches everything but termination
    cpu->entry.Get(isolate)->Call(context, v8::Undefined(isolate), 1, &argument).IsEmpty();
  }
  set_continuation(isolate, v8::Undefined(isolate));
  free_slot(cpu, slot);
  remote_first(cpu);
}

static void js_main() {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  lwkt_thread_t td = lwkt_curthread();

  {
    v8::Locker locker(isolate);
    v8::Isolate::Scope isolate_scope(isolate);
    v8::HandleScope handles(isolate);
    v8::Local<v8::Context> context = cpu->context.Get(isolate);
    v8::Context::Scope context_scope(context);

    {
      // V8 notes each new thread when that leaves it for the first time, and allocates for it: here, and not where the stack is deep.
      v8::Unlocker unlocker(isolate);
    }
    isolate->SetStackLimit(js_limit(td));
    repeat_termination(cpu);  // later ones, at the switch; a job that is adopted needs none
    do {
      run_job(cpu, context);
    } while (lwkt_resident_adopt() || lwkt_resident_park());
  }
  isolate->DiscardThreadSpecificMetadata();
}

static void js_failed(lwkt_thread_t td, int error) {
  Cpu* cpu = current_cpu();
  uint32_t slot = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(td->td_arg));

  cpu->failures.push_back({slot, error});  // JavaScript hears of it when the pass is over: this may be outside V8
}

void report_failures(Cpu* cpu, v8::Local<v8::Context> context) {
  v8::Isolate* isolate = cpu->isolate;

  while (!cpu->failures.empty()) {
    Failure failure = cpu->failures.back();
    v8::Local<v8::Value> argv[] = {v8::Integer::NewFromUnsigned(isolate, failure.slot), v8::Integer::New(isolate, failure.error)};

    cpu->failures.pop_back();
    cpu->natives.erase(failure.slot);
    free_slot(cpu, failure.slot);
    cpu->failed.Get(isolate)->Call(context, v8::Undefined(isolate), 2, argv).IsEmpty();
  }
}

extern const lwkt_resident js_resident = {js_main, js_switch, js_failed};

void free_slot(Cpu* cpu, uint32_t slot) {
  cpu->threads[slot] = nullptr;
  cpu->continuation[slot].Reset();
  cpu->free_slots.push_back(slot);
}

/** What a wait came to, seen from the thread that waited. */
BlockResult after_wait(Cpu* cpu) {
  lwkt_thread_t td = lwkt_curthread();

  if (cpu->terminating) return kBlockTerminating;
  if (td->td_flags & TDF_INTR) {
    td->td_flags &= ~TDF_INTR;
    return kBlockInterrupted;
  }
  return kBlockOk;
}

BlockResult block_current(const char* wmesg) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  v8::Local<v8::Data> continuation;

  BlockResult before = after_wait(cpu);
  if (before != kBlockOk) return before;
  continuation = get_continuation(isolate);
  remote_first(cpu);
  if (lwkt_block(wmesg) != 0) return kBlockThread0;
  set_continuation(isolate, continuation);
  return after_wait(cpu);
}

int js_block(const char* wmesg) {
  switch (block_current(wmesg)) {
    case kBlockOk: return 0;
    case kBlockInterrupted: return EINTR;
    case kBlockThread0: return EDEADLK;
    default: return ECANCELED;
  }
}

int js_aborting() { return (lwkt_curthread()->td_flags & TDF_INTR) != 0 || current_cpu()->terminating; }

}  // namespace libcr
