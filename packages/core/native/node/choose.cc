/*
 * choose.cc - passes in which JavaScript says whose turn it is (explore()): each round of one runs one userthread, until that gives way, and microtasks run behind it.
 */
#include "choose.h"

#include "functions.h"

namespace libcr {

/** choose(function | undefined): function(slots) is asked before each turn, on thread0. */
void Choose(Args args) {
  Cpu* cpu = current_cpu();

  if (args[0]->IsFunction())
    cpu->choose.Reset(cpu->isolate, args[0].As<v8::Function>());
  else
    cpu->choose.Reset();
}

void dispatch_chosen(Cpu* cpu, v8::Local<v8::Context> context) {
  v8::Isolate* isolate = cpu->isolate;
  std::vector<lwkt_thread_t> tds(cpu->threads.size() + 1);
  unsigned n = lwkt_candidates(tds.data(), static_cast<unsigned>(tds.size()));
  std::vector<v8::Local<v8::Value>> slots;
  v8::Local<v8::Value> answer;
  uint32_t chosen = 0;

  if (n > tds.size()) n = static_cast<unsigned>(tds.size());
  if (n == 0) {
    lwkt_dispatch(LWKT_DISPATCH_ONE);  // timed waits of C may be over
    return;
  }
  for (unsigned i = 0; i < n; i++) slots.push_back(v8::Integer::New(isolate, slot_of(tds[i])));
  v8::Local<v8::Value> argument = v8::Array::New(isolate, slots.data(), slots.size());
  if (cpu->choose.Get(isolate)->Call(context, v8::Undefined(isolate), 1, &argument).ToLocal(&answer))
    chosen = answer->Uint32Value(context).FromMaybe(0);
  lwkt_dispatch_next(tds[chosen < n ? chosen : 0]);
}

}  // namespace libcr
