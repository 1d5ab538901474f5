/*
 * cpu.h - one JavaScript environment (the main thread's or a Worker's) as an LWKT CPU. What the files of this folder share.
 *
 * Not here: anything LWKT can do without V8 (../src). Node-API cannot do what is done here (lockers, stack limits, isolate entry), so
 * this folder uses V8's public C++ API and is built once for each Node ABI; Node-API tells it one thing (terminate.cc).
 *
 * Invariant: a Cpu is used on its own kernel thread only. It is found through thread0's td_data, never through a C thread_local,
 * which would belong to the running userthread.
 */
#ifndef LWKT_NODE_CPU_H
#define LWKT_NODE_CPU_H

#include <node.h>
#include <node_api.h>
#include <uv.h>
#include <v8.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "../include/lwkt.h"
#include "native-thread.h"

namespace libcr {

/** What blocking native functions answer to JavaScript; src/native.ts has the same numbers. */
enum BlockResult { kBlockOk = 0, kBlockInterrupted = 1, kBlockThread0 = 2, kBlockTerminating = 3 };

struct Envelope;
struct Inbox;

struct Failure {
  uint32_t slot;
  int error;
};

const unsigned kSwings = 4;  // looks at the load that trim.cc remembers

struct Cpu {
  v8::Isolate* isolate;
  napi_env env;
  v8::Global<v8::Context> context;
  v8::Global<v8::Function> entry;      // entry(slot): runs a userthread's JavaScript from beginning to end
  v8::Global<v8::Function> failed;     // failed(slot, errno): it could not get a stack
  v8::Global<v8::Function> noop;       // a function that does nothing, called to make V8 notice a termination
  v8::Global<v8::Function> native_ended;  // nativeEnded(slot, errno, result): a native userthread has
  v8::Global<v8::Object> resource;     // the async resource that passes run in
  node::async_context async_context;
  uv_loop_t* loop;
  uv_prepare_t prepare;                // says before each poll that the loop may sleep
  uv_check_t check;                    // runs a pass after each poll, if there is anything to do
  uv_idle_t idle;                      // keeps the poll from sleeping while somebody is runnable
  uv_poll_t doorbell;                  // other rforks wake the loop by it
  bool active = false;                 // idle is started
  bool traced = false;                 // a record shows each wait, poll and IPI message: nothing is done to save them
  bool counted = false;                // and is nobody's CPU time
  bool terminating = false;            // the environment ends: suspended threads are being unwound
  int open_handles = 0;                // 6, with timed and trim below, from loop_init to loop_close
  int closing_handles = 0;             // of the six, not yet closed
  void (*closed)(void*) = nullptr;     // called with the Cpu when all are
  uv_timer_t timed;                    // a pass when the first timed wait is over; it keeps the loop alive
  uv_timer_t trim;                     // gives idle stacks back, see trim.cc
  bool trimming = false;               // it is started
  unsigned trimmed = 0;                // stacks given back since it was
  unsigned keep = 0;                   // idle stacks that are worth keeping
  unsigned looks = 0;                  // how often the load has been looked at
  unsigned swings[kSwings] = {};       // by how much it rose and fell, lately
  uint64_t next_look = 0;              // the loop's time of the next look
  node::AsyncCleanupHookHandle cleanup;
  void (*cleanup_done)(void*) = nullptr;  // tells Node that the cleanup is over
  void* cleanup_arg = nullptr;
  uint64_t passes = 0;
  uint64_t pass_ns = 1000000;          // how long a pass may keep the event loop
  uint64_t pass_end = 0;               // when the present one is over
  std::shared_ptr<Inbox> inbox;        // what other rforks send
  Envelope* received = nullptr;        // taken from it, not yet JavaScript's
  Envelope* spare = nullptr;           // used ones, for the next that are sent
  unsigned spares = 0;
  std::unordered_map<uint32_t, std::shared_ptr<Inbox>> peers;  // by rfork id: those that have been sent to
  int holds = 0;                       // reasons for which the loop must not run dry
  bool deferred = false;               // JavaScript has received what only thread0 may deal with
  uint64_t look_ns = 0;                // how long a thread that waits looks for envelopes: as long as that pays
  unsigned waits = 0;                  // how often one has waited
  bool arrived = false;                // something has come since it was last tried whether looking pays
  v8::Global<v8::Function> deliver;    // deliver(here): envelopes have come -> whether it has dealt with all it has got
  v8::Global<v8::Function> write_host; // writeHost(object) -> five plain values, or undefined
  v8::Global<v8::Function> read_host;  // readHost(…the five) -> object
  v8::Global<v8::Function> clone_error;  // cloneError(message) -> a DataCloneError
  std::vector<lwkt_thread_t> threads;  // by slot; nullptr: free
  std::vector<uint32_t> free_slots;
  std::vector<Failure> failures;       // fresh threads that could not get a stack, not yet reported
  std::unordered_map<uint32_t, std::unique_ptr<NativeThread>> natives;  // by slot: native userthreads whose end JavaScript does not know
  std::vector<uint32_t> ended;         // of those, the slots of the ones that have ended, in order
  std::vector<v8::Global<v8::Data>> continuation;  // by slot: the async context a fresh thread inherits
  v8::Global<v8::Data> held_continuation;          // see continuation-gc.cc
};

/** The environment's Cpu; only on a kernel thread that loaded the addon. */
inline Cpu* current_cpu() { return static_cast<Cpu*>(lwkt_thread0()->td_data); }

// resident.cc
extern const lwkt_resident js_resident;
void js_switch(lwkt_context* from, lwkt_context* to);
int js_block(const char* wmesg);
int js_aborting();
size_t stack_room();
BlockResult block_current(const char* wmesg);
BlockResult after_wait(Cpu* cpu);
uint32_t take_slot(Cpu* cpu);
void free_slot(Cpu* cpu, uint32_t slot);
void report_failures(Cpu* cpu, v8::Local<v8::Context> context);

// api.cc
extern const lwkt_api api;

// native-thread.cc
bool is_native(lwkt_thread_t td);
void report_ended(Cpu* cpu, v8::Local<v8::Context> context);

// loop.cc
int loop_init(Cpu* cpu);
void loop_wake(Cpu* cpu);
void loop_hold(Cpu* cpu, bool on);
void loop_trace(Cpu* cpu, bool on);
void loop_count(Cpu* cpu, bool on);
void loop_close(Cpu* cpu, void (*closed)(void*));

// remote.cc
bool remote_pending(Cpu* cpu);
void remote_attend(Cpu* cpu);
void deliver_on_thread0(Cpu* cpu, v8::Local<v8::Context> context);
bool deliver_here(Cpu* cpu);
void remote_first(Cpu* cpu);
void remote_close(Cpu* cpu);

// trim.cc
int trim_init(Cpu* cpu);
void trim_wake(Cpu* cpu);

// continuation-gc.cc
void guard_continuation(Cpu* cpu);
void unguard_continuation(Cpu* cpu);

// terminate.cc
void terminate_userthreads(Cpu* cpu);
void request_termination(Cpu* cpu);
void repeat_termination(Cpu* cpu);

}  // namespace libcr

#endif
