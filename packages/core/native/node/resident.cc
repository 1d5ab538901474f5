/*
 * resident.cc - how JavaScript runs on a userthread: what stands at the bottom of its stack, and the switch around which V8 is left
 * and entered by its front door.
 *
 * V8 lets several threads share an isolate, one at a time (v8::Locker), and tells them apart by thread-local variables. A userthread
 * has its own values of those (thread-words.h), so to V8 it is a thread. The resident enters V8 once and then runs one userthread after the
 * other on its stack.
 *
 * Invariants:
 *  - A resident stays entered (v8::Isolate::Enter) for its whole life: V8's entry record is never popped at a switch. That is sound
 *    because V8 archives and restores the rest of a thread's state with its lock, and because all residents' entry records are alike
 *    and are pushed and popped only from passes, when thread0 stands at its own base level. (docs/decisions/0001-stay-entered.md)
 *  - Between leaving the lock and having it again nothing here touches a handle.
 */
#include "cpu.h"

#include <cerrno>

#include "state/async-ids.h"
#include "state/continuation.h"
#include "preempt/preempt.h"

namespace libcr {

const size_t kReserveFactor = 8;       // what is mapped, by what JavaScript may use
const size_t kReserveMin = 56 * 1024;  // for C++ in any case

/**
 * How much stack to map for a thread whose JavaScript may use that much. The rest is for the C++ that JavaScript calls, V8's own included: not all
 * recursions in there look at V8's limit (its compiler of regular expressions takes some 100 bytes for each parenthesis). It is address space: nobody touches it otherwise.
 */
size_t stack_to_map(size_t size) { return size > LWKT_STACK_MAX / kReserveFactor ? LWKT_STACK_MAX : size * kReserveFactor; }

/** Where V8 stops on td's stack. */
static uintptr_t js_limit(Cpu* cpu, lwkt_thread_t td) {
  uintptr_t base = reinterpret_cast<uintptr_t>(lwkt_stack_base(td)), end = reinterpret_cast<uintptr_t>(lwkt_stack_end(td));
  size_t size = cpu->stack_sizes[static_cast<size_t>(slot_of(td))];

  return end - base < size + kReserveMin ? base + kReserveMin : end - size;
}

/** How much of the running userthread's stack is left for JavaScript. */
size_t stack_room() {
  uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), limit = js_limit(current_cpu(), lwkt_curthread());

  return here > limit ? here - limit : 0;
}

void js_switch(lwkt_context* from, lwkt_context* to) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  const ThreadWords& words = *cpu->words;
  auto* saved = static_cast<uint64_t*>(__builtin_alloca(words.count * sizeof(uint64_t)));  // as many as needed: it lies on each suspended stack
  std::unique_ptr<JoinLists> joins = join_leave(cpu);
  uint64_t central_size = cpu->central_size ? *cpu->central_size : 0;

  {
    v8::Unlocker unlocker(isolate);
    thread_words_save(words, cpu->segment, saved);
    lwkt_light_switch(from, to);
    thread_words_restore(words, cpu->segment, saved);
  }
  // Entering twice is a counter to V8, but it notes where this stack begins, for its garbage collector's conservative scan.
  isolate->Enter();
  isolate->Exit();
  if (cpu->central_size) *cpu->central_size = central_size ? central_size : cpu->thread0_central_size;  // 0: thread0's first switch
  if (joins) join_arrive(cpu, joins.get());
  repeat_termination(cpu);
}

/** V8 has ended the JavaScript of td: because the environment ends, or by td.terminate(). */
static void run_terminated(Cpu* cpu, v8::Local<v8::Context> context, lwkt_thread_t td) {
  uint32_t preemptions;

  if (!end_terminated(cpu, td, &preemptions)) return;
  if (cpu->async_ids) cpu->async_ids->save(context, static_cast<uint32_t>(cpu->shared[kAsyncBase]));  // what its scopes have left there
  v8::Local<v8::Value> argv[] = {v8::Integer::New(cpu->isolate, slot_of(td)), v8::Integer::NewFromUnsigned(cpu->isolate, preemptions)};
  cpu->terminated.Get(cpu->isolate)->Call(context, v8::Undefined(cpu->isolate), 2, argv).IsEmpty();
}

static void run_job(Cpu* cpu, v8::Local<v8::Context> context) {
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  lwkt_thread_t td = lwkt_curthread();
  uint32_t slot = static_cast<uint32_t>(slot_of(td));
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
    cpu->shared[kRunning] = slot_of(td);
    if (cpu->entry.Get(isolate)->Call(context, v8::Undefined(isolate), 1, &argument).IsEmpty()) {
      caught.Reset();
      run_terminated(cpu, context, td);
    }
    cpu->shared[kRunning] = -1;
  }
  set_continuation(isolate, v8::Undefined(isolate));
  free_slot(cpu, slot);
  remote_first(cpu);
}

static void js_main() {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  lwkt_thread_t td = lwkt_curthread();

  thread_words_begin(*cpu->words, cpu->segment, lwkt_stack_end(td));
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
    cpu->first_level = scope_level(cpu);
    uintptr_t limit = js_limit(cpu, td);
    set_stack_limit(cpu, limit);
    repeat_termination(cpu);  // later ones, at the switch; a job that is adopted needs none
    do {
      if (js_limit(cpu, lwkt_curthread()) != limit) set_stack_limit(cpu, limit = js_limit(cpu, lwkt_curthread()));
      run_job(cpu, context);
    } while (lwkt_resident_adopt() || lwkt_resident_park());
  }
  isolate->DiscardThreadSpecificMetadata();
}

static void js_failed(lwkt_thread_t td, int error) {
  Cpu* cpu = current_cpu();
  uint32_t slot = static_cast<uint32_t>(slot_of(td));

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
  cpu->watched[slot] = false;
  cpu->free_slots.push_back(slot);
}

static BlockResult after_special_wait(Cpu* cpu, lwkt_thread_t td) {
  if (td->td_flags & TDF_PREEMPTIBLE) begin_slice(cpu, td);
  if (!(td->td_flags & TDF_INTR)) return kBlockOk;
  td->td_flags &= ~TDF_INTR;
  return kBlockInterrupted;
}

/** What a wait came to, seen from the thread that waited. */
BlockResult after_wait(Cpu* cpu) {
  lwkt_thread_t td = lwkt_curthread();

  if (cpu->terminating) return kBlockTerminating;
  if (td->td_flags & (TDF_INTR | TDF_PREEMPTIBLE)) return after_special_wait(cpu, td);
  return kBlockOk;
}

/** Whether the running thread can be switched out where it stands: kBlockOk, or why not. */
BlockResult may_switch(Cpu* cpu) {
  lwkt_thread_t td = lwkt_curthread();
  uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));

  if (td->td_resident != &js_resident) return kBlockOk;  // thread0 says so itself
  // V8 runs what WebAssembly.promising() calls on stacks of its own, and does not look there for what is archived.
  if (here < reinterpret_cast<uintptr_t>(lwkt_stack_base(td)) || here >= reinterpret_cast<uintptr_t>(lwkt_stack_end(td))) return kBlockForeignStack;
  if (cpu->watched[static_cast<size_t>(slot_of(td))]) return kBlockWatched;
  if ((cpu->stringifies == 0 && cpu->on_addon_stacks == 0) || !has_more_scopes(cpu)) return kBlockOk;
  if (cpu->on_addon_stacks > 0 && below_addon_stack(td)) return kBlockAddonStack;
  return cpu->stringifies > 0 && below_stringify(td) ? kBlockStringify : kBlockOk;
}

BlockResult block_current(const char* wmesg) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  v8::Local<v8::Data> continuation;

  BlockResult before = after_wait(cpu);
  if (before != kBlockOk || (before = may_switch(cpu)) != kBlockOk) return before;
  continuation = get_continuation(isolate);
  remote_first(cpu);
  NapiScopesAside scopes(cpu);
  if (lwkt_block(wmesg) != 0) return kBlockThread0;
  set_continuation(isolate, continuation);
  return after_wait(cpu);
}

int js_block(const char* wmesg) {
  Away away(current_cpu());

  switch (block_current(wmesg)) {
    case kBlockOk: return 0;
    case kBlockInterrupted: return EINTR;
    case kBlockThread0:
    case kBlockForeignStack:
    case kBlockWatched:
    case kBlockStringify:
    case kBlockAddonStack: return EDEADLK;
    default: return ECANCELED;
  }
}

int js_aborting() { return (lwkt_curthread()->td_flags & TDF_INTR) != 0 || current_cpu()->terminating; }

}  // namespace libcr
