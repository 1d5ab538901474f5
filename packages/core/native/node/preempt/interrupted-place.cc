/*
 * interrupted-place.cc - whether the place at which V8 has interrupted JavaScript is one to switch away from.
 *
 * V8 looks for interrupts at function entries and loop back edges, which is everywhere in JavaScript. Not good are:
 *  - native code of a regular expression while it matches: it keeps pointers into a stack that V8 moves at a switch. WebAssembly that is about to be compiled
 *    again: V8 11 keeps a pointer to the instance there, which a collection moves.
 *  - what JSON.stringify calls, and itself: V8 12.4 (Node 22) does not survive two of them at a time.
 *  - a program that is stopped in a debugger: what is evaluated there must not make it go on.
 *  - Node's own JavaScript, and ours: what they have begun must not be entered again by the event loop.
 *  - microtasks, which V8 runs one after the other.
 *  - where a wait would be refused: a stack that is not the thread's (WebAssembly's stack switching), a script that V8 may be told to end (may_switch).
 *  - a nested async scope, as long as Node's stack of async ids has not been found (src/state/async-context.ts), or one that native code has entered.
 * The first three are told by return addresses on the stack, that lie in functions which the symbol table names. Without a symbol table there is no preemption.
 *
 * A loop that V8 has optimized is a place to switch away from, but not one to go on at: its code relies on V8's promise that an interrupt writes nothing to the
 * heap, and keeps what it has read (a flag that somebody sets, the elements of an array that is shortened meanwhile). So it is given up afterwards
 * (forget_values), and the loop goes on in code that reads again.
 *
 * Invariant: an answer of "no" costs nothing but time: the clock asks again.
 */
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "../state/async-ids.h"
#include "../cpu.h"
#include "hardclock.h"
#include "preempt.h"
#include "../state/return-addresses.h"
#include "../state/program-symbols.h"
#include "../strings.h"

namespace libcr {

namespace {

/** Functions of V8's and Node's, by their addresses. */
struct Places {
  bool looked = false;
  std::string missing;          // why there is no preemption; empty: there is
  std::vector<Range> near;  // not among what has called us last: a regular expression
  std::vector<Range> far;   // nowhere on the stack: JSON.stringify, a debugger that has stopped the program
  std::vector<Range> stringify, outermost;  // JSON.stringify's own, and its outermost function
  std::vector<Range> loops;  // what optimized loops call to look for interrupts
  void (*deoptimize_all)(v8::Isolate*) = nullptr;
  Range all = {UINTPTR_MAX, 0};  // where all of those lie
  uintptr_t base = 0;
};

std::mutex looking;
Places places;

void look_at_function(const char* name, const Elf64_Sym& symbol, void* arg) {
  auto* found = static_cast<Places*>(arg);
  Range range = {found->base + symbol.st_value, found->base + symbol.st_value + symbol.st_size};

  auto begins = [name](const char* with) { return std::strncmp(name, with, std::strlen(with)) == 0; };

  if (begins("_ZN2v88internal") && (std::strstr(name, "20CheckStackGuardState") || std::strstr(name, "Runtime_WasmTriggerTierUp")))
    found->near.push_back(range);
  else if (begins("_ZN2v88internal15JsonStringifier"))
    found->far.push_back(range), found->stringify.push_back(range);
  else if (begins("_ZN4node9inspector19NodeInspectorClient") && std::strstr(name, "runMessageLoop"))
    found->far.push_back(range);
  else if (begins("_ZN2v88internal13JsonStringifyEP"))
    found->outermost.push_back(range);
  else if (begins("_ZN2v88internal") && (std::strstr(name, "Runtime_HandleNoHeapWritesInterrupts") || std::strstr(name, "Runtime_StackGuardE") ||
                                         std::strstr(name, "Runtime_BytecodeBudgetInterruptWithStackCheck_Maglev")))
    found->loops.push_back(range);
  else if (std::strcmp(name, "_ZN2v88internal11Deoptimizer13DeoptimizeAllEPNS0_7IsolateE") == 0)
    found->deoptimize_all = reinterpret_cast<void (*)(v8::Isolate*)>(range.begin);
  else
    return;
  if (range.begin < found->all.begin) found->all.begin = range.begin;
  if (range.end > found->all.end) found->all.end = range.end;
}

/** What the topmost function of JavaScript that has a name of a file belongs to: Node, this project, or the program. called: by a function of this package, which
 *  does not count. */
bool programs_own(Cpu* cpu, bool called) {
  v8::Isolate* isolate = cpu->isolate;
  v8::Local<v8::StackTrace> trace = v8::StackTrace::CurrentStackTrace(isolate, 8, v8::StackTrace::kScriptName);

  for (int i = 0; i < trace->GetFrameCount(); i++) {
    v8::Local<v8::String> name = trace->GetFrame(isolate, static_cast<uint32_t>(i))->GetScriptName();
    char text[512];

    if (name.IsEmpty() || name->Length() == 0) continue;  // a builtin, or evaluated code: its caller tells
    int length = name->Length() < static_cast<int>(sizeof(text)) ? name->Length() : static_cast<int>(sizeof(text));
    copy_string(isolate, name, reinterpret_cast<uint8_t*>(text), length, true);  // what is compared is ASCII
    std::string_view script(text, static_cast<size_t>(length));
    if (script.substr(0, 5) == "node:") return false;
    if (called && script.substr(0, cpu->own_scripts[0].size()) == cpu->own_scripts[0]) continue;
    called = false;
    for (const std::string& own : cpu->own_scripts)
      if (script.substr(0, own.size()) == own) return false;
    return true;
  }
  return trace->GetFrameCount() > 0;
}

const ptrdiff_t kNear = 512;  // words

bool is_in(const std::vector<Range>& functions, uintptr_t word) {
  return word >= places.all.begin && word <= places.all.end && returns_into(functions, word);
}

/** The first of the running thread's last so many words that is a return address into one of the functions; nullptr. */
uintptr_t* find_on_stack(lwkt_thread_t td, const std::vector<Range>& functions, ptrdiff_t words = PTRDIFF_MAX) {
  auto* here = static_cast<uintptr_t*>(__builtin_frame_address(0));
  auto* end = static_cast<uintptr_t*>(lwkt_stack_end(td));

  for (uintptr_t* word = here; word < end && word - here < words; word++)
    if (is_in(functions, *word)) return word;
  return nullptr;
}

/**
 * Whether JSON.stringify is anywhere on the stack, or a debugger that has stopped the program. A deep stack takes longer than the clock waits before it asks again: then all of the thread's time would go
 * there. So the word that has told is looked at first.
 */
bool has_far(Preemptible* region, lwkt_thread_t td) {
  auto* here = static_cast<uintptr_t*>(__builtin_frame_address(0));

  if (region->far && region->far >= here && is_in(places.far, *region->far)) return true;
  region->far = find_on_stack(td, places.far);
  return region->far != nullptr;
}

}  // namespace

bool may_end(Cpu* cpu, lwkt_thread_t td, bool called) {
  v8::Isolate* isolate = cpu->isolate;

  if (cpu->terminating || cpu->shared[kExiting] || td->td_critcount || may_switch(cpu) != kBlockOk || v8::MicrotasksScope::IsRunningMicrotasks(isolate)) return false;
  if (cpu->async_ids) {
    v8::HandleScope handles(isolate);
    if (!cpu->async_ids->all_of_javascript(cpu->context.Get(isolate), static_cast<uint32_t>(cpu->shared[kAsyncBase]))) return false;
  } else if (node::AsyncHooksGetExecutionAsyncId(isolate) != cpu->async_context.async_id) {
    return false;
  }
  return programs_own(cpu, called);
}

bool may_preempt(lwkt_thread_t td) {
  return !find_on_stack(td, places.near, kNear) && !has_far(static_cast<Preemptible*>(td->td_data), td);
}

bool in_optimized_loop(lwkt_thread_t td) {
#if V8_MAJOR_VERSION >= 12
  return find_on_stack(td, places.loops, kNear) != nullptr;
#else
  (void)td;
  return false;
#endif
}

void forget_values(Cpu* cpu) { places.deoptimize_all(cpu->isolate); }

/** What is known of V8's and Node's functions. The first call looks for them, which takes milliseconds. */
static const Places& known_places() {
  std::lock_guard<std::mutex> guard(looking);

  if (places.looked) return places;
  Module module = v8_module();
  Places found;

  found.looked = true;
  found.base = module.base;
  if (!each_symbol(module, STT_FUNC, look_at_function, &found))
    found.missing = module.path + " has no symbol table (it is stripped), so nobody can tell where a regular expression is interrupted";
  else if (found.near.empty() || found.loops.empty() || !found.deoptimize_all)
    found.missing = module.path + " names V8's functions otherwise than expected";
  places = found;
  return places;
}

/**
 * Whether td, which runs, has been called by JSON.stringify, on a V8 that does not survive it if two threads wait there: 12.4 keeps those that are at work in
 * one list, and ends the process unless the last that began ends first.
 *
 * A JSON.stringify that has ended leaves return addresses lying, some of which may be on the stack still. So two are looked for that only belong together: one of
 * JSON.stringify's outermost function, and next below it one of the object's that does the work.
 */
bool below_stringify(lwkt_thread_t td) {
#if V8_MAJOR_VERSION == 12
  known_places();
  auto* end = static_cast<uintptr_t*>(lwkt_stack_end(td));
  uintptr_t* work = nullptr;

  for (auto* word = static_cast<uintptr_t*>(__builtin_frame_address(0)); word < end; word++) {
    if (*word < places.all.begin || *word > places.all.end) continue;
    if (returns_into(places.stringify, *word)) work = word;
    if (work && word - work < kNear && returns_into(places.outermost, *word)) return true;
  }
#else
  (void)td;
#endif
  return false;
}

/** preemptionMissing() -> why there is no preemption in this process, or undefined. */
void PreemptionMissing(Args args) {
  const std::string& missing = known_places().missing;

  if (!missing.empty()) args.GetReturnValue().Set(v8::String::NewFromUtf8(args.GetIsolate(), missing.c_str()).ToLocalChecked());
}

}  // namespace libcr
