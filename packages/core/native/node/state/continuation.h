/*
 * continuation.h - the one place that knows how each V8 names "continuation preserved embedder data": the slot in which Node keeps
 * the current AsyncLocalStorage frame (always from Node 24, by option in 22). It belongs to the running thread of control, so a switch
 * saves and restores it.
 *
 *   V8 < 12 (Node 20)   kept in the context and unused by Node: nothing to do (AsyncLocalStorage follows the async id stack there,
 *                       see src/state/async-context.ts)
 *   V8 12-13            isolate->Get/SetContinuationPreservedEmbedderData
 *   V8 >= 14            the same with the suffix V2; the older name is deprecated
 */
#ifndef LWKT_NODE_CONTINUATION_H
#define LWKT_NODE_CONTINUATION_H

#include <v8.h>

namespace libcr {

// A handle of its own: what V8 answers may stand for the slot itself, which the next thread overwrites.
inline v8::Local<v8::Data> get_continuation(v8::Isolate* isolate) {
#if V8_MAJOR_VERSION >= 14
  return v8::Local<v8::Data>::New(isolate, isolate->GetContinuationPreservedEmbedderDataV2());
#elif V8_MAJOR_VERSION >= 12
  return v8::Local<v8::Value>::New(isolate, isolate->GetContinuationPreservedEmbedderData());
#else
  return v8::Undefined(isolate);
#endif
}

inline void set_continuation(v8::Isolate* isolate, v8::Local<v8::Data> data) {
#if V8_MAJOR_VERSION >= 14
  isolate->SetContinuationPreservedEmbedderDataV2(data);
#elif V8_MAJOR_VERSION >= 12
  isolate->SetContinuationPreservedEmbedderData(data.As<v8::Value>());
#else
  (void)isolate;
  (void)data;
#endif
}

inline bool has_continuation(v8::Local<v8::Data> data) {
  return !data.IsEmpty() && !(data->IsValue() && data.As<v8::Value>()->IsUndefined());
}

}  // namespace libcr

#endif
