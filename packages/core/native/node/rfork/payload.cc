/*
 * payload.cc - JavaScript values as bytes and back: V8's structured clone. Primitives and strings, which most answers are, go past it.
 *
 * What is not plain data is a host object to V8: a port, say, which extends HostObject for this reason. Five plain values stand for it, made and read by
 * JavaScript (src/rfork/host-objects.ts).
 */
#include <cstdlib>
#include <cstring>

#include "../cpu.h"
#include "envelope.h"
#include "../strings.h"

namespace libcr {
namespace {

using v8::Local;

void throw_data_clone_error(Cpu* cpu, Local<v8::String> message) {
  v8::Isolate* isolate = cpu->isolate;
  Local<v8::Value> argument = message, error;

  if (cpu->clone_error.Get(isolate)->Call(isolate->GetCurrentContext(), v8::Undefined(isolate), 1, &argument).ToLocal(&error))
    isolate->ThrowException(error);
}

void throw_data_clone_error(Cpu* cpu, const std::string& message) {
  throw_data_clone_error(cpu, v8::String::NewFromUtf8(cpu->isolate, message.c_str()).ToLocalChecked());
}

class Writer : public v8::ValueSerializer::Delegate {
 public:
  Writer(Cpu* cpu, Payload* payload) : cpu_(cpu), payload_(payload), serializer(cpu->isolate, this) {}

  void ThrowDataCloneError(Local<v8::String> message) override { throw_data_clone_error(cpu_, message); }

  v8::Maybe<bool> WriteHostObject(v8::Isolate* isolate, Local<v8::Object> object) override {
    Local<v8::Context> context = isolate->GetCurrentContext();
    Local<v8::Value> argument = object, answer, part;

    if (!cpu_->write_host.Get(isolate)->Call(context, v8::Undefined(isolate), 1, &argument).ToLocal(&answer)) return v8::Nothing<bool>();
    if (!answer->IsArray()) {
      v8::String::Utf8Value name(isolate, object->GetConstructorName());
      throw_data_clone_error(cpu_, "#<" + std::string(*name ? *name : "Object") + "> could not be cloned.");
      return v8::Nothing<bool>();
    }
    for (uint32_t i = 0; i < kNumbers; i++) {
      double number = 0;
      if (!answer.As<v8::Array>()->Get(context, i).ToLocal(&part) || !part->NumberValue(context).To(&number)) return v8::Nothing<bool>();
      serializer.WriteDouble(number);
    }
    if (!answer.As<v8::Array>()->Get(context, kNumbers).ToLocal(&part)) return v8::Nothing<bool>();
    v8::String::Utf8Value text(isolate, part);
    serializer.WriteUint32(static_cast<uint32_t>(text.length()));
    serializer.WriteRawBytes(*text, static_cast<size_t>(text.length()));
    return v8::Just(true);
  }

  v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate*, Local<v8::SharedArrayBuffer> buffer) override {
    payload_->shared.push_back(buffer->GetBackingStore());
    return v8::Just(static_cast<uint32_t>(payload_->shared.size() - 1));
  }

  v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate*, Local<v8::WasmModuleObject> module) override {
    payload_->modules.push_back(module->GetCompiledModule());
    return v8::Just(static_cast<uint32_t>(payload_->modules.size() - 1));
  }

  void* ReallocateBufferMemory(void*, size_t size, size_t* actual) override {
    if (!payload_->reserve(size)) return nullptr;
    *actual = payload_->capacity;
    return payload_->bytes;
  }

  void FreeBufferMemory(void*) override {}  // it is the payload's

  static const uint32_t kNumbers = 4;

 private:
  Cpu* cpu_;
  Payload* payload_;

 public:
  v8::ValueSerializer serializer;
};

class Reader : public v8::ValueDeserializer::Delegate {
 public:
  Reader(Cpu* cpu, Payload* payload) : cpu_(cpu), payload_(payload), deserializer(cpu->isolate, payload->bytes, payload->size, this) {}

  v8::MaybeLocal<v8::Object> ReadHostObject(v8::Isolate* isolate) override {
    v8::Isolate::AllowJavascriptExecutionScope allow(isolate);  // V8 forbids it while it builds objects; ours is not one that sees them
    Local<v8::Value> argv[Writer::kNumbers + 1], object;
    uint32_t length = 0;
    const void* text = nullptr;

    for (uint32_t i = 0; i < Writer::kNumbers; i++) {
      double number = 0;
      if (!deserializer.ReadDouble(&number)) return {};
      argv[i] = v8::Number::New(isolate, number);
    }
    if (!deserializer.ReadUint32(&length) || !deserializer.ReadRawBytes(length, &text)) return {};
    Local<v8::String> string;
    if (!v8::String::NewFromUtf8(isolate, static_cast<const char*>(text), v8::NewStringType::kNormal, static_cast<int>(length)).ToLocal(&string)) return {};
    argv[Writer::kNumbers] = string;
    if (!cpu_->read_host.Get(isolate)
             ->Call(isolate->GetCurrentContext(), v8::Undefined(isolate), Writer::kNumbers + 1, argv)
             .ToLocal(&object) ||
        !object->IsObject())
      return {};
    return object.As<v8::Object>();
  }

  v8::MaybeLocal<v8::SharedArrayBuffer> GetSharedArrayBufferFromId(v8::Isolate* isolate, uint32_t id) override {
    if (id >= payload_->shared.size()) return {};
    return v8::SharedArrayBuffer::New(isolate, payload_->shared[id]);
  }

  v8::MaybeLocal<v8::WasmModuleObject> GetWasmModuleFromId(v8::Isolate* isolate, uint32_t id) override {
    if (id >= payload_->modules.size()) return {};
    return v8::WasmModuleObject::FromCompiledModule(isolate, payload_->modules[id]);
  }

 private:
  Cpu* cpu_;
  Payload* payload_;

 public:
  v8::ValueDeserializer deserializer;
};

/** Whether value is one of those that need no serializer; then the payload has it. */
bool write_plain(v8::Isolate* isolate, Payload* payload, Local<v8::Value> value) {
  if (value->IsUndefined()) {
    payload->kind = Payload::kUndefined;
  } else if (value->IsNull()) {
    payload->kind = Payload::kNull;
  } else if (value->IsBoolean()) {
    payload->kind = value->IsTrue() ? Payload::kTrue : Payload::kFalse;
  } else if (value->IsNumber()) {
    payload->kind = Payload::kNumber;
    payload->number = value.As<v8::Number>()->Value();
  } else if (value->IsString()) {
    Local<v8::String> text = value.As<v8::String>();
    int length = text->Length();
    bool narrow = text->ContainsOnlyOneByte();

    payload->size = static_cast<size_t>(length) * (narrow ? 1 : 2);
    if (!payload->reserve(payload->size)) return false;
    payload->kind = narrow ? Payload::kLatin1 : Payload::kUtf16;
    copy_string(isolate, text, payload->bytes, length, narrow);
  } else {
    return false;
  }
  return true;
}

/** The elements of transfer, which are ArrayBuffers and detachable; false: an exception is pending. */
bool collect_transfer(Cpu* cpu, Local<v8::Context> context, Local<v8::Value> transfer, std::vector<Local<v8::ArrayBuffer>>* out) {
  if (!transfer->IsArray()) return true;
  Local<v8::Array> list = transfer.As<v8::Array>();
  for (uint32_t i = 0; i < list->Length(); i++) {
    Local<v8::Value> element;
    if (!list->Get(context, i).ToLocal(&element)) return false;
    if (!element->IsArrayBuffer() || !element.As<v8::ArrayBuffer>()->IsDetachable() || element.As<v8::ArrayBuffer>()->WasDetached()) {
      throw_data_clone_error(cpu, std::string("An ArrayBuffer is detached or cannot be transferred."));
      return false;
    }
    out->push_back(element.As<v8::ArrayBuffer>());
  }
  return true;
}

}  // namespace

bool Payload::write(Cpu* cpu, Local<v8::Context> context, Local<v8::Value> value, Local<v8::Value> transfer) {
  v8::Isolate* isolate = cpu->isolate;
  std::vector<Local<v8::ArrayBuffer>> buffers;

  if (!collect_transfer(cpu, context, transfer, &buffers)) return false;
  if (buffers.empty() && write_plain(isolate, this, value)) return true;
  Writer writer(cpu, this);
  writer.serializer.WriteHeader();
  for (size_t i = 0; i < buffers.size(); i++) writer.serializer.TransferArrayBuffer(static_cast<uint32_t>(i), buffers[i]);
  if (!writer.serializer.WriteValue(context, value).FromMaybe(false)) return false;
  for (Local<v8::ArrayBuffer> buffer : buffers) {
    transferred.push_back(buffer->GetBackingStore());
    if (!buffer->Detach(Local<v8::Value>()).FromMaybe(false)) return false;
  }
  kind = kSerialized;
  size = writer.serializer.Release().second;
  return true;
}

bool Payload::reserve(size_t wanted) {
  if (wanted <= capacity) return true;
  uint8_t* larger = static_cast<uint8_t*>(realloc(bytes == room ? nullptr : bytes, wanted));
  if (!larger) return false;
  if (bytes == room) std::memcpy(larger, room, kRoom);
  bytes = larger;
  capacity = wanted;
  return true;
}

void Payload::clear() {
  if (bytes != room) free(bytes);
  bytes = room;
  capacity = kRoom;
  size = 0;
  kind = kUndefined;
  transferred.clear();
  shared.clear();
  modules.clear();
}

v8::MaybeLocal<v8::Value> Payload::read(Cpu* cpu, Local<v8::Context> context) {
  v8::Isolate* isolate = cpu->isolate;

  switch (kind) {
    case kUndefined: return v8::Undefined(isolate).As<v8::Value>();
    case kNull: return v8::Null(isolate).As<v8::Value>();
    case kTrue: return v8::True(isolate).As<v8::Value>();
    case kFalse: return v8::False(isolate).As<v8::Value>();
    case kNumber: return v8::Number::New(isolate, number).As<v8::Value>();
    case kLatin1: return v8::String::NewFromOneByte(isolate, bytes, v8::NewStringType::kNormal, static_cast<int>(size)).FromMaybe(Local<v8::String>());
    case kUtf16:
      return v8::String::NewFromTwoByte(isolate, reinterpret_cast<const uint16_t*>(bytes), v8::NewStringType::kNormal, static_cast<int>(size / 2))
          .FromMaybe(Local<v8::String>());
    case kSerialized: break;
  }
  Reader reader(cpu, this);
  if (!reader.deserializer.ReadHeader(context).FromMaybe(false)) return {};
  for (size_t i = 0; i < transferred.size(); i++)
    reader.deserializer.TransferArrayBuffer(static_cast<uint32_t>(i), v8::ArrayBuffer::New(isolate, transferred[i]));
  return reader.deserializer.ReadValue(context);
}

}  // namespace libcr
