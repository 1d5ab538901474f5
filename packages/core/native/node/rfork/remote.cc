/*
 * remote.cc - the functions by which JavaScript sends to other rforks and takes what they have sent. src/rfork/ is what uses them.
 *
 * Invariants:
 *  - An rfork's end is told to every rfork that exists then, by an envelope of kind kEnded; nothing can be sent to it any more.
 *  - While `holds` is above 0 the event loop does not run dry: somebody else is to send something.
 */
#include <cerrno>
#include <thread>

#include "../state/continuation.h"
#include "../cpu.h"
#include "envelope.h"
#include "../functions.h"

namespace libcr {

static const uint32_t kBatch = 256;  // envelopes that one receive() takes
static const uint32_t kBatchHere = 16;  // the same on a waiting thread's stack: the sender of the first needs not wait until the last has been read
static const unsigned kSpares = 1024;  // used envelopes that are kept

static const uint64_t kLook = 20000;   // ns: somewhat less than it costs to leave a thread, to sleep, to be woken and to come back
static const unsigned kLookRetry = 16; // every so many waits it is tried again whether looking pays, if anything has come since
static const unsigned kLooks = 16;     // looks at the inbox for each at the clock
static const size_t kDeliverStack = 64 * 1024;  // bytes that deliver() and what it calls may need, and more

bool remote_pending(Cpu* cpu) { return cpu->deferred || cpu->received || (cpu->inbox && !cpu->inbox->empty()); }

/** At the beginning of a pass: until the loop may sleep it looks after its inbox itself. Native userthreads switch without looking there. */
void remote_attend(Cpu* cpu) {
  if (cpu->inbox && cpu->natives.empty() && !cpu->traced) cpu->inbox->attended.store(true, std::memory_order_relaxed);
}

/** Where userthreads switch: what has come for this rfork goes before them, as an IPI message does. */
void remote_first(Cpu* cpu) {
  if (!cpu->terminating && remote_pending(cpu)) lwkt_pass_end();
}

void deliver_on_thread0(Cpu* cpu, v8::Local<v8::Context> context) {
  v8::Local<v8::Value> here = v8::False(cpu->isolate);

  if (!remote_pending(cpu) || cpu->deliver.IsEmpty()) return;
  cpu->deferred = false;
  cpu->deliver.Get(cpu->isolate)->Call(context, v8::Undefined(cpu->isolate), 1, &here).IsEmpty();
}

static bool one_processor() {
  static const bool one = std::thread::hardware_concurrency() == 1;
  return one;
}

static inline void pause_processor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/**
 * Whether something comes within a little while. Half as long each time in vain, so a thread that waits for slow answers does not look at all, nor
 * does an rfork to which nothing comes. What the event loop has to do waits that long, so it is not long.
 */
static bool look(Cpu* cpu) {
  if (cpu->holds == 0 || one_processor()) return false;
  if (++cpu->waits % kLookRetry == 0 && cpu->arrived) {
    cpu->look_ns = kLook;
    cpu->arrived = false;
  }
  if (cpu->look_ns < kLook / 16) return false;
  uint64_t end = uv_hrtime() + cpu->look_ns;
  if (end > cpu->pass_end) return false;
  do {
    for (unsigned i = 0; i < kLooks; i++) {
      if (!cpu->inbox->empty()) {
        cpu->look_ns = kLook;
        return true;
      }
      pause_processor();
    }
  } while (!lwkt_yield_wanted() && uv_hrtime() < end);
  cpu->look_ns /= 2;
  return false;
}

/**
 * On a userthread that is about to wait: takes what other rforks have sent, if no other thread wants to run and thread0 has nothing to do
 * but this. So where messages come one soon after the other a thread that waits for them stays on the CPU; it need not be switched out and in,
 * nor the loop be asked to turn. JavaScript leaves to thread0 what may run others' code. Until the pass is over, and not on a stack that is nearly full.
 * Returns whether it has: the thread may have been woken.
 */
bool deliver_here(Cpu* cpu) {
  v8::Isolate* isolate = cpu->isolate;
  v8::Local<v8::Value> here = v8::True(isolate), all;

  if (!cpu->inbox || cpu->deferred || cpu->deliver.IsEmpty() || cpu->terminating || cpu->traced) return false;
  if (lwkt_curthread() == lwkt_thread0() || lwkt_curthread()->td_critcount || lwkt_runnable() > 1 || lwkt_yield_wanted()) return false;
  if (stack_room() < kDeliverStack || (remote_pending(cpu) ? uv_hrtime() >= cpu->pass_end : !look(cpu))) return false;
  v8::Local<v8::Data> continuation = get_continuation(isolate);
  set_continuation(isolate, v8::Undefined(isolate));
  if (cpu->deliver.Get(isolate)->Call(cpu->context.Get(isolate), v8::Undefined(isolate), 1, &here).ToLocal(&all)) cpu->deferred = all->IsFalse();
  set_continuation(isolate, continuation);
  return true;
}

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

/** forsake(id): the rfork that was to come, or has been, is no more. This one is told as all others are, and nobody wakes it for what it sends itself. */
void Forsake(Args args) {
  Cpu* cpu = current_cpu();
  std::shared_ptr<Inbox> inbox = find_inbox(args[0].As<v8::Uint32>()->Value());

  if (inbox) end_inbox(inbox);
  if (remote_pending(cpu)) loop_wake(cpu);
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

/** send(to, kind, port, origin, id, value, transfer?, hops?) -> 0, or ESRCH: that rfork has ended. Throws DataCloneError. */
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
    envelope->hops = args[7]->IsUint32() ? args[7].As<v8::Uint32>()->Value() : 0;
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

/** The value of a payload, or the error that reading it threw; failed says which. Empty: this environment is ending, which is no answer to anybody. */
static v8::Local<v8::Value> value_of(Cpu* cpu, v8::Local<v8::Context> context, Payload* payload, bool* failed) {
  v8::Isolate* isolate = cpu->isolate;
  v8::TryCatch caught(isolate);
  v8::Local<v8::Value> value;

  *failed = !payload->read(cpu, context).ToLocal(&value);
  if (!*failed) return value;
  if (caught.HasTerminated()) {
    caught.ReThrow();
    return {};
  }
  if (caught.HasCaught() && !caught.Exception().IsEmpty()) return caught.Exception();
  return v8::Exception::Error(v8::String::NewFromUtf8Literal(isolate, "the value could not be read here"));
}

/**
 * receive(here) -> what has come, flat: kind, from, port, origin, id, value, hops of each; at most kBatch of them. A negative kind: the value could not
 * be read, and an error stands in its place. here: only what needs little stack, up to the first that doesn't.
 */
void Receive(Args args) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  std::vector<v8::Local<v8::Value>> fields;
  bool here = args[0]->IsTrue();

  for (uint32_t n = 0; n < (here ? kBatchHere : kBatch); n++) {
    if (!cpu->received) cpu->received = cpu->inbox->take();
    if (!cpu->received || (here && !cpu->received->payload.small())) break;
    Envelope* envelope = cpu->received;
    bool failed;
    cpu->arrived = true;
    cpu->received = envelope->next;
    v8::Local<v8::Value> value = value_of(cpu, context, &envelope->payload, &failed);
    if (value.IsEmpty()) {
      old_envelope(cpu, envelope);
      return;
    }
    int32_t kind = static_cast<int32_t>(envelope->kind);
    fields.push_back(v8::Integer::New(isolate, failed ? -kind : kind));
    fields.push_back(v8::Integer::NewFromUnsigned(isolate, envelope->from));
    fields.push_back(v8::Number::New(isolate, envelope->port));
    fields.push_back(v8::Integer::NewFromUnsigned(isolate, envelope->origin));
    fields.push_back(v8::Number::New(isolate, envelope->id));
    fields.push_back(value);
    fields.push_back(v8::Integer::NewFromUnsigned(isolate, envelope->hops));
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
v8::MaybeLocal<v8::Function> host_object_class(v8::Isolate* isolate, v8::Local<v8::Context> context) {
  v8::Local<v8::FunctionTemplate> base = v8::FunctionTemplate::New(isolate);

  base->SetClassName(v8::String::NewFromUtf8Literal(isolate, "HostObject"));
  base->InstanceTemplate()->SetInternalFieldCount(1);
  return base->GetFunction(context);
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
