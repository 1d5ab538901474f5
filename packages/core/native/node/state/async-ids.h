/*
 * async-ids.h - a userthread's part of Node's stack of async ids, put aside and put back where no JavaScript may run. What
 * ../../src/state/async-context.ts does at a wait, and by the same arrays, which it hands over.
 */
#ifndef LWKT_NODE_ASYNC_IDS_H
#define LWKT_NODE_ASYNC_IDS_H

#include <v8.h>

#include <vector>

namespace libcr {

class AsyncIds {
 public:
  /** fields: async_hook_fields; ids: async_id_fields; wrap: the binding; resources: execution_async_resources; constants: kStackLength, kExecutionAsyncId, kTriggerAsyncId */
  AsyncIds(v8::Isolate* isolate, v8::Local<v8::Uint32Array> fields, v8::Local<v8::Float64Array> ids, v8::Local<v8::Object> wrap,
           v8::Local<v8::Array> resources, const uint32_t constants[3]);

  /** A thread's part, of which the innermost entry comes first. Valid in the HandleScope in which it was saved. */
  struct Saved {
    std::vector<double> ids;  // pairs
    std::vector<v8::Local<v8::Value>> resources;
  };

  /** Whether all that lies above base has been entered by JavaScript: of the rest the resource is known to Node by an address on the stack only. */
  bool all_of_javascript(v8::Local<v8::Context> context, uint32_t base);
  /** Takes what lies above base off the stack. */
  Saved save(v8::Local<v8::Context> context, uint32_t base);
  /** Puts it back. Returns where it begins: the pass may stand at another depth. */
  uint32_t restore(v8::Local<v8::Context> context, const Saved& saved);

 private:
  bool stack(v8::Local<v8::Context> context, v8::Local<v8::Float64Array>* out);

  v8::Isolate* isolate_;
  v8::Global<v8::Object> wrap_;
  v8::Global<v8::Array> resources_;
  v8::Global<v8::Uint32Array> keep_fields_;
  v8::Global<v8::Float64Array> keep_ids_;
  uint32_t* fields_;  // in the memory of the arrays, which stay the same
  double* ids_;
  uint32_t length_, execution_, trigger_;  // their places in those
};

}  // namespace libcr

#endif
