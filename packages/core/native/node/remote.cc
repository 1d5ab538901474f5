/*
 * remote.cc - the functions by which JavaScript sends to other rforks and takes what they have sent. src/rfork/ is what uses them.
 *
 * Invariants:
 *  - An rfork's end is told to every rfork that exists then, by an envelope of kind kEnded; nothing can be sent to it any more.
 *  - While `holds` is above 0 the event loop does not run dry: somebody else is to send something.
 */
#include <cerrno>

#include "cpu.h"
#include "envelope.h"
#include "functions.h"

namespace libcr {

static const uint32_t kBatch = 256;  // envelopes that one receive() takes
static const unsigned kSpares = 1024;  // used envelopes that are kept

bool remote_pending(Cpu* cpu) { return cpu->received || (cpu->inbox && !cpu->inbox->empty()); }

static std::string text_of(v8::Isolate* isolate, v8::Local<v8::Value> value) {
  v8::String::Utf8Value text(isolate, value);

  return std::string(*text ? *text : "", text.length());
}

/** reserve(name) -> the id of an rfork that is to come: it can be sent to from now on. */
void Reserve(Args args) { args.GetReturnValue().Set(register_inbox(text_of(args.GetIsolate(), args[0]))->id); }

/** rforks() -> of each that is there or is to come: id, name, whether it is there. */
void Rforks(Args args) {
  v8::Isolate* isolate = args.GetIsolate();
  std::vector<v8::Local<v8::Value>> fields;

  for (const std::shared_ptr<Inbox>& inbox : all_inboxes()) {
    fields.push_back(v8::Integer::NewFromUnsigned(isolate, inbox->id));
    fields.push_back(v8::String::NewFromUtf8(isolate, inbox->name.c_str()).ToLocalChecked());
    fields.push_back(v8::Boolean::New(isolate, inbox->gd.load() != nullptr));
  }
  args.GetReturnValue().Set(v8::Array::New(isolate, fields.data(), fields.size()));
}

/** forsake(id): the rfork that was to come, or has been, is no more. */
void Forsake(Args args) {
  std::shared_ptr<Inbox> inbox = find_inbox(args[0].As<v8::Uint32>()->Value());

  if (inbox) end_inbox(inbox);
}

/** enter(id, name) -> the id of this rfork: the reserved one, if it exists and nobody has it, else (0, for one) a new one. Once. */
void Enter(Args args) {
  Cpu* cpu = current_cpu();
  std::shared_ptr<Inbox> inbox = find_inbox(args[0].As<v8::Uint32>()->Value());
  globaldata_t nobody = nullptr;

  if (!inbox || !inbox->gd.compare_exchange_strong(nobody, lwkt_mycpu())) {
    inbox = register_inbox(text_of(cpu->isolate, args[1]));
    inbox->gd.store(lwkt_mycpu());
  }
  cpu->inbox = inbox;
  if (!inbox->empty()) loop_wake(cpu);
  args.GetReturnValue().Set(inbox->id);
}

/** setupRemote(deliver, writeHost, readHost, cloneError): once, before the first send. */
void SetupRemote(Args args) {
  Cpu* cpu = current_cpu();

  cpu->deliver.Reset(cpu->isolate, args[0].As<v8::Function>());
  cpu->write_host.Reset(cpu->isolate, args[1].As<v8::Function>());
  cpu->read_host.Reset(cpu->isolate, args[2].As<v8::Function>());
  cpu->clone_error.Reset(cpu->isolate, args[3].As<v8::Function>());
}

static std::shared_ptr<Inbox> peer(Cpu* cpu, uint32_t id) {
  auto known = cpu->peers.find(id);

  if (known != cpu->peers.end()) return known->second;
  std::shared_ptr<Inbox> inbox = find_inbox(id);
  if (inbox) cpu->peers.emplace(id, inbox);
  return inbox;
}

Envelope* new_envelope(Cpu* cpu) {
  Envelope* envelope = cpu->spare;

  if (!envelope) return new Envelope();
  cpu->spare = envelope->next;
  cpu->spares--;
  return envelope;
}

void old_envelope(Cpu* cpu, Envelope* envelope) {
  if (cpu->spares >= kSpares) {
    delete envelope;
    return;
  }
  envelope->payload.clear();
  envelope->next = cpu->spare;
  cpu->spare = envelope;
  cpu->spares++;
}

/** send(to, kind, port, origin, id, value, transfer?) -> 0, or ESRCH: that rfork has ended. Throws DataCloneError. */
void Send(Args args) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  uint32_t to = args[0].As<v8::Uint32>()->Value();
  std::shared_ptr<Inbox> inbox = peer(cpu, to);  // a copy: the value's getters may run anything

  if (inbox && inbox->open()) {
    Envelope* envelope = new_envelope(cpu);
    envelope->kind = args[1].As<v8::Uint32>()->Value();
    envelope->port = args[2].As<v8::Number>()->Value();
    envelope->origin = args[3].As<v8::Uint32>()->Value();
    envelope->id = args[4].As<v8::Number>()->Value();
    envelope->from = cpu->inbox->id;
    bool written = envelope->payload.write(cpu, isolate->GetCurrentContext(), args[5], args[6]);
    if (written && inbox->push(envelope)) {
      args.GetReturnValue().Set(0);
      return;
    }
    old_envelope(cpu, envelope);
    if (!written) return;
  }
  cpu->peers.erase(to);
  args.GetReturnValue().Set(ESRCH);
}

/** The value of a payload, or the error that reading it threw; failed says which. */
static v8::Local<v8::Value> value_of(Cpu* cpu, v8::Local<v8::Context> context, Payload* payload, bool* failed) {
  v8::Isolate* isolate = cpu->isolate;
  v8::TryCatch caught(isolate);
  v8::Local<v8::Value> value;

  *failed = !payload->read(cpu, context).ToLocal(&value);
  if (!*failed) return value;
  if (caught.HasCaught() && !caught.Exception().IsEmpty() && !caught.HasTerminated()) return caught.Exception();
  return v8::Exception::Error(v8::String::NewFromUtf8Literal(isolate, "the value could not be read here"));
}

/**
 * receive() -> what has come, flat: kind, from, port, origin, id, value of each; at most kBatch of them. A negative kind: the value could not
 * be read, and an error stands in its place.
 */
void Receive(Args args) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  std::vector<v8::Local<v8::Value>> fields;

  for (uint32_t n = 0; n < kBatch; n++) {
    if (!cpu->received) cpu->received = cpu->inbox->take();
    if (!cpu->received) break;
    Envelope* envelope = cpu->received;
    bool failed;
    cpu->received = envelope->next;
    v8::Local<v8::Value> value = value_of(cpu, context, &envelope->payload, &failed);
    int32_t kind = static_cast<int32_t>(envelope->kind);
    fields.push_back(v8::Integer::New(isolate, failed ? -kind : kind));
    fields.push_back(v8::Integer::NewFromUnsigned(isolate, envelope->from));
    fields.push_back(v8::Number::New(isolate, envelope->port));
    fields.push_back(v8::Integer::NewFromUnsigned(isolate, envelope->origin));
    fields.push_back(v8::Number::New(isolate, envelope->id));
    fields.push_back(value);
    if (envelope->kind == kEnded) cpu->peers.erase(envelope->from);
    old_envelope(cpu, envelope);
  }
  args.GetReturnValue().Set(v8::Array::New(isolate, fields.data(), fields.size()));
}

/** hold(on): the loop stays alive for one reason more, or less. */
void Hold(Args args) {
  Cpu* cpu = current_cpu();

  cpu->holds += args[0]->IsTrue() ? 1 : -1;
  loop_hold(cpu, cpu->holds > 0);
}

/** The base class of what travels as a host object: to V8 an object with an internal field is one. */
v8::Local<v8::Function> host_object_class(v8::Isolate* isolate, v8::Local<v8::Context> context) {
  v8::Local<v8::FunctionTemplate> base = v8::FunctionTemplate::New(isolate);

  base->SetClassName(v8::String::NewFromUtf8Literal(isolate, "HostObject"));
  base->InstanceTemplate()->SetInternalFieldCount(1);
  return base->GetFunction(context).ToLocalChecked();
}

static void delete_list(Envelope* envelope) {
  while (envelope) {
    Envelope* next = envelope->next;
    delete envelope;
    envelope = next;
  }
}

void remote_close(Cpu* cpu) {
  if (cpu->inbox) end_inbox(cpu->inbox);
  delete_list(cpu->received);
  delete_list(cpu->spare);
  cpu->received = cpu->spare = nullptr;
  cpu->peers.clear();
  cpu->deliver.Reset();
  cpu->write_host.Reset();
  cpu->read_host.Reset();
  cpu->clone_error.Reset();
}

}  // namespace libcr
