/*
 * continuation-gc.cc - V8 12 and later (Node 24, 26, and 22 with --experimental-async-context-frame): keeps the scavenger away from the
 * async context slot.
 *
 * Those versions visit the slot of the continuation preserved embedder data once for each thread of the isolate, archived ones included.
 * A second visit is harmless when marking, but the scavenger then moves the object again from where it has just put it, and the heap is
 * corrupt. One suspended userthread and one AsyncLocalStorage store in the young generation are enough.
 *
 * So the slot is emptied while a collection runs; a global handle, which is visited once, holds the value meanwhile.
 *
 * Invariant: outside of a collection `held` is empty and the slot is what the program put there.
 */
#include "continuation.h"
#include "../cpu.h"

namespace libcr {

#if V8_MAJOR_VERSION >= 12

static void hold(v8::Isolate* isolate, v8::GCType, v8::GCCallbackFlags, void* data) {
  Cpu* cpu = static_cast<Cpu*>(data);
  v8::HandleScope handles(isolate);
  v8::Local<v8::Data> value = get_continuation(isolate);

  if (!has_continuation(value)) return;
  cpu->held_continuation.Reset(isolate, value);
  set_continuation(isolate, v8::Undefined(isolate));
}

static void put_back(v8::Isolate* isolate, v8::GCType, v8::GCCallbackFlags, void* data) {
  Cpu* cpu = static_cast<Cpu*>(data);
  v8::HandleScope handles(isolate);

  if (cpu->held_continuation.IsEmpty()) return;
  set_continuation(isolate, cpu->held_continuation.Get(isolate));
  cpu->held_continuation.Reset();
}

void guard_continuation(Cpu* cpu) {
  cpu->isolate->AddGCPrologueCallback(hold, cpu);
  cpu->isolate->AddGCEpilogueCallback(put_back, cpu);
}

void unguard_continuation(Cpu* cpu) {
  cpu->isolate->RemoveGCPrologueCallback(hold, cpu);
  cpu->isolate->RemoveGCEpilogueCallback(put_back, cpu);
}

#else

void guard_continuation(Cpu*) {}
void unguard_continuation(Cpu*) {}

#endif

}  // namespace libcr
