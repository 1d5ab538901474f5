/*
 * async-wrap.cc - finds Node's binding "async_wrap", in which its stack of async ids is (src/state/async-context.ts), where process.binding does not give it:
 * from Node 24 on, and under the permission model. It is an object like any other, so the heap has it.
 *
 * Costs a garbage collection and a look at each object. Called once in an environment, and only where the stack is needed.
 */
#include <v8-profiler.h>

#include <vector>

#include "continuation.h"
#include "../cpu.h"
#include "../functions.h"

namespace libcr {
namespace {

class HasProperty : public v8::QueryObjectPredicate {
 public:
  HasProperty(v8::Local<v8::Context> context, v8::Local<v8::String> key) : context_(context), key_(key) {}

  // Runs while the heap is walked: no JavaScript, and nothing is allocated.
  bool Filter(v8::Local<v8::Object> object) override { return object->HasRealNamedProperty(context_, key_).FromMaybe(false); }

 private:
  v8::Local<v8::Context> context_;
  v8::Local<v8::String> key_;
};

}  // namespace

/** objectsWith(key) -> all objects of the heap that have that property of their own. */
void ObjectsWith(Args args) {
  v8::Isolate* isolate = args.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  std::vector<v8::Global<v8::Object>> found;
  std::vector<v8::Local<v8::Value>> list;
  HasProperty predicate(context, args[0].As<v8::String>());

  isolate->GetHeapProfiler()->QueryObjects(context, &predicate, &found);
  for (const auto& object : found) list.push_back(object.Get(isolate));
  args.GetReturnValue().Set(v8::Array::New(isolate, list.data(), list.size()));
}

/** hasContinuation() -> whether V8's continuation slot is in use here: is that where the present AsyncLocalStorage store is? */
void HasContinuation(Args args) { args.GetReturnValue().Set(has_continuation(get_continuation(args.GetIsolate()))); }

}  // namespace libcr
