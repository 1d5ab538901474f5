/*
 * async-ids.cc - see async-ids.h.
 *
 * Invariant: nothing here runs JavaScript: the properties are plain ones of Node's own objects. V8 reads none of them while a termination unwinds what runs: what
 * can't be read stays where it is.
 */
#include "async-ids.h"

namespace libcr {

namespace {

template <typename T>
T* data_of(v8::Local<v8::ArrayBufferView> view) {
  return reinterpret_cast<T*>(static_cast<char*>(view->Buffer()->GetBackingStore()->Data()) + view->ByteOffset());
}

void set_length(v8::Isolate* isolate, v8::Local<v8::Context> context, v8::Local<v8::Array> array, uint32_t length) {
  array->Set(context, v8::String::NewFromUtf8Literal(isolate, "length"), v8::Integer::NewFromUnsigned(isolate, length)).FromMaybe(false);
}

}  // namespace

AsyncIds::AsyncIds(v8::Isolate* isolate, v8::Local<v8::Uint32Array> fields, v8::Local<v8::Float64Array> ids, v8::Local<v8::Object> wrap,
                   v8::Local<v8::Array> resources, const uint32_t constants[3])
    : isolate_(isolate),
      wrap_(isolate, wrap),
      resources_(isolate, resources),
      keep_fields_(isolate, fields),
      keep_ids_(isolate, ids),
      fields_(data_of<uint32_t>(fields)),
      ids_(data_of<double>(ids)),
      length_(constants[0]),
      execution_(constants[1]),
      trigger_(constants[2]) {}

bool AsyncIds::stack(v8::Local<v8::Context> context, v8::Local<v8::Float64Array>* out) {
  v8::Local<v8::Value> value;

  if (!wrap_.Get(isolate_)->Get(context, v8::String::NewFromUtf8Literal(isolate_, "async_ids_stack")).ToLocal(&value)) return false;
  *out = value.As<v8::Float64Array>();
  return true;
}

bool AsyncIds::all_of_javascript(v8::Local<v8::Context> context, uint32_t base) {
  v8::Local<v8::Array> resources = resources_.Get(isolate_);

  for (uint32_t i = base; i < fields_[length_]; i++) {
    v8::Local<v8::Value> resource;
    if (!resources->Get(context, i).ToLocal(&resource) || !resource->IsObject()) return false;
  }
  return true;
}

AsyncIds::Saved AsyncIds::save(v8::Local<v8::Context> context, uint32_t base) {
  v8::Local<v8::Array> resources = resources_.Get(isolate_);
  v8::Local<v8::Float64Array> view;
  uint32_t length = fields_[length_];
  Saved saved;

  if (length <= base || !stack(context, &view)) return saved;
  for (uint32_t i = base; i < length; i++) {
    v8::Local<v8::Value> resource;
    if (!resources->Get(context, i).ToLocal(&resource)) return Saved();
    saved.resources.push_back(resource);
  }
  const double* below = data_of<double>(view);
  saved.ids = {ids_[execution_], ids_[trigger_]};
  for (uint32_t i = length - 1; i > base; i--) saved.ids.insert(saved.ids.end(), {below[2 * i], below[2 * i + 1]});
  if (resources->Length() > base) set_length(isolate_, context, resources, base);
  ids_[execution_] = below[2 * base];
  ids_[trigger_] = below[2 * base + 1];
  fields_[length_] = base;
  return saved;
}

uint32_t AsyncIds::restore(v8::Local<v8::Context> context, const Saved& saved) {
  v8::Local<v8::Array> resources = resources_.Get(isolate_);
  uint32_t base = fields_[length_], at = base;

  for (size_t i = saved.ids.size(); i > 0; i -= 2, at++) {
    v8::Local<v8::Float64Array> below;

    if (!stack(context, &below)) break;
    resources->Set(context, at, saved.resources[at - base]).FromMaybe(false);
    if (2 * at >= below->Length()) {  // makes room
      v8::Local<v8::Value> push;
      if (!wrap_.Get(isolate_)->Get(context, v8::String::NewFromUtf8Literal(isolate_, "pushAsyncContext")).ToLocal(&push)) break;
      v8::Local<v8::Value> argv[] = {v8::Number::New(isolate_, saved.ids[i - 2]), v8::Number::New(isolate_, saved.ids[i - 1])};
      push.As<v8::Function>()->Call(context, wrap_.Get(isolate_), 2, argv).IsEmpty();
      continue;
    }
    data_of<double>(below)[2 * at] = ids_[execution_];
    data_of<double>(below)[2 * at + 1] = ids_[trigger_];
    fields_[length_] = at + 1;
    ids_[execution_] = saved.ids[i - 2];
    ids_[trigger_] = saved.ids[i - 1];
  }
  return base;
}

}  // namespace libcr
