/*
 * envelope.h - what goes from one JavaScript CPU to another: a message of the protocol in src/rfork/, as bytes that belong to no isolate.
 *
 * Not here: what the kinds and the numbers mean. That is JavaScript's affair; here they are carried only.
 *
 * Who may touch what: an Envelope belongs to its sender until it is pushed, then to whoever takes it from the inbox. Of an Inbox the head is
 * everybody's (atomic), `attended` is written by the owner and read by senders, the rest is written once.
 */
#ifndef LWKT_NODE_ENVELOPE_H
#define LWKT_NODE_ENVELOPE_H

#include <v8.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../../include/lwkt.h"

namespace libcr {

struct Cpu;

/** A JavaScript value on its way. Small plain ones go without V8's serializer. */
struct Payload {
  enum Kind : uint8_t { kUndefined, kNull, kTrue, kFalse, kNumber, kLatin1, kUtf16, kSerialized };

  Kind kind = kUndefined;
  double number = 0;
  uint8_t* bytes = room;     // or malloc'ed, where there is not enough room
  size_t size = 0;           // of bytes
  std::vector<std::shared_ptr<v8::BackingStore>> transferred;  // ArrayBuffers that moved
  std::vector<std::shared_ptr<v8::BackingStore>> shared;       // SharedArrayBuffers: the same memory on both sides
  std::vector<v8::CompiledWasmModule> modules;

  Payload() = default;
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  ~Payload() { clear(); }

  /** Fills it. false: an exception is pending, and nothing has been detached. transfer: an array of ArrayBuffers, or undefined. */
  bool write(Cpu* cpu, v8::Local<v8::Context> context, v8::Local<v8::Value> value, v8::Local<v8::Value> transfer);

  /** The value, in this environment; empty: an exception is pending. Once only: what was transferred belongs to the value. */
  v8::MaybeLocal<v8::Value> read(Cpu* cpu, v8::Local<v8::Context> context);

  /** Makes bytes at least so long, keeping what is there. false: out of memory, and all is as before. */
  bool reserve(size_t wanted);
  /** As new. */
  void clear();
  /** Whether little stack is enough to read it: a primitive, or what is short and so not deep. */
  bool small() const { return kind != kSerialized || (bytes == room && modules.empty()); }

  static const size_t kRoom = 512;
  size_t capacity = kRoom;
  alignas(16) uint8_t room[kRoom];  // most messages are small
};

/** A message of the protocol: a kind, an rfork and three numbers, and a value. */
struct Envelope {
  Envelope* next = nullptr;
  uint32_t kind = 0;
  uint32_t from = 0;    // the sending rfork's id
  uint32_t origin = 0;  // the rfork that the number `id` is of
  uint32_t hops = 0;
  double port = 0;
  double id = 0;
  Payload payload;
};

/** An envelope of this kind says that the rfork `from` has ended. */
const uint32_t kEnded = 0;

/**
 * Where an rfork's envelopes arrive. It exists from the moment that somebody wants the rfork to be, and outlives it, closed, for those
 * that still know it.
 */
struct Inbox {
  const uint32_t id;                       // the rfork's: 1, 2, … in the order of their beginning, never used again
  std::atomic<globaldata_t> gd{nullptr};   // whom to wake; nullptr: not there yet. After the rfork's end perhaps another's, which is woken in vain
  std::atomic<Envelope*> head{nullptr};    // the last that was pushed
  std::atomic<bool> attended{false};       // the owner looks here before long, and before it sleeps: it need not be told that something has come

  const std::string name;                  // the rfork's

  Inbox(uint32_t id, const std::string& name) : id(id), name(name) {}

  /** Takes the envelope over and wakes the rfork; false: that has ended, and the envelope is the caller's still. Any rfork. */
  bool push(Envelope* envelope);
  /** All that has come, the oldest first. The owner only. */
  Envelope* take();
  /** Nothing comes any more; what has come is deleted. */
  void close();
  bool open() const;
  bool empty() const { return head.load(std::memory_order_acquire) == nullptr; }
  /** From here on the owner must be told. false: something has come that it has not been told of. The owner only. */
  bool leave();
};

/**
 * An envelope, from those that this rfork has received and used up, if there are any: where requests and answers go to and fro nothing is allocated.
 * (malloc would make it a meeting point: freed on another kernel thread than where it was allocated, each piece costs a lock.)
 */
Envelope* new_envelope(Cpu* cpu);
/** For reuse, or away with it. */
void old_envelope(Cpu* cpu, Envelope* envelope);

/** A new rfork's inbox, entered where others find it. */
std::shared_ptr<Inbox> register_inbox(const std::string& name);
/** Closes it and tells all other rforks, if that has not been done. On an rfork. */
void end_inbox(const std::shared_ptr<Inbox>& inbox);
/** The inbox of an rfork that exists; empty for others. */
std::shared_ptr<Inbox> find_inbox(uint32_t id);
/** All that exist. */
std::vector<std::shared_ptr<Inbox>> all_inboxes();

}  // namespace libcr

#endif
