/*
 * cpu.h - one JavaScript environment (the main thread's or a Worker's) as an LWKT CPU. What the files of this folder share.
 *
 * Not here: anything LWKT can do without V8 (../src). Node-API cannot do what is done here (lockers, stack limits, isolate entry), so
 * this folder uses V8's public C++ API and is built once for each Node ABI; Node-API tells it one thing (terminate.cc).
 *
 * Invariant: a Cpu is used on its own kernel thread only. It is found through thread0's td_data.
 */
#ifndef LWKT_NODE_CPU_H
#define LWKT_NODE_CPU_H

#include <node.h>
#include <node_api.h>
#include <uv.h>
#include <v8.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../include/lwkt.h"
#include "native-thread.h"
#include "state/thread-words.h"
#include "preempt/watch-loop.h"

namespace libcr {

/** What blocking native functions answer to JavaScript; src/native.ts has the same numbers. */
enum BlockResult { kBlockOk = 0, kBlockInterrupted = 1, kBlockThread0 = 2, kBlockTerminating = 3, kBlockForeignStack = 4, kBlockWatched = 5, kBlockStringify = 6, kBlockAddonStack = 7 };

class AsyncIds;
struct Envelope;
class Hardclock;
struct Inbox;

/** Numbers in memory that JavaScript sees as well (native.shared): what must be right also where no JavaScript may run. src/native.ts has their places. */
enum Shared {
  kRunning = 0,    // the running userthread's slot; -1: thread0
  kAsyncBase = 1,  // entries of Node's stack of async ids that are the pass', where that has been found
  kExiting = 2,    // 1: 'exit' listeners run, so nobody else may
  kSharedCount
};

struct Failure {
  uint32_t slot;
  int error;
};

/** A context's list of the arrays that are being joined: join-stack.cc. */
struct JoinContext {
  v8::Global<v8::Context> context;   // weak: empty when it is gone
  v8::Global<v8::Data> placed;       // the list that was put there last, as long as it is there
  bool away = false;                 // it is not, as a collection runs
};

using JoinLists = std::vector<std::pair<JoinContext*, v8::Global<v8::Data>>>;  // of one thread, while it is switched out

struct Cpu;

/** The counts of an addon's scopes that are a thread's, while it is switched out: napi-scopes.cc. */
struct NapiScope {
  napi_env env;
  int32_t handles, callbacks;
};

/** Puts the running thread's counts aside, around what switches; in a handle scope of its own. */
class NapiScopesAside {
 public:
  explicit NapiScopesAside(Cpu* cpu);
  ~NapiScopesAside();
  NapiScopesAside(const NapiScopesAside&) = delete;
  NapiScopesAside& operator=(const NapiScopesAside&) = delete;

 private:
  std::unique_ptr<std::vector<NapiScope>> scopes_;  // nullptr: there are none
  Cpu* stringify_ = nullptr;                        // Node 22: set where JSON.stringify is on the stack
  Cpu* addon_ = nullptr;                            // set where an addon with a stack of its own is (addon-stacks.cc)
};

const unsigned kSwings = 4;  // looks at the load that trim.cc remembers

struct Cpu {
  Cpu();
  ~Cpu();

  v8::Isolate* isolate;
  napi_env env;
  const ThreadWords* words = nullptr;  // of V8's thread-locals, those that go with a userthread
  char* segment = nullptr;             // where this kernel thread has them
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
  int open_handles = 0;                // 8, with timed, trim and the watchdog's below, from loop_init to loop_close
  int closing_handles = 0;             // of the eight, not yet closed
  void (*closed)(void*) = nullptr;     // called with the Cpu when all are
  uv_timer_t timed;                    // a pass when the first timed wait is over; it keeps the loop alive
  uv_timer_t trim;                     // gives idle stacks back, see trim.cc
  bool trimming = false;               // it is started
  unsigned trimmed = 0;                // stacks given back since it was
  unsigned keep = 0;                   // idle stacks that are worth keeping
  unsigned looks = 0;                  // how often the load has been looked at
  unsigned swings[kSwings] = {};       // by how much it rose and fell, lately
  uint64_t next_look = 0;              // the loop's time of the next look
  uv_prepare_t watch_prepare;          // note the loop's turns, while a watchdog is set
  uv_check_t watch_check;
  LoopWatch watch;
  Hardclock* hardclock = nullptr;      // from the first preemptible region, or watchdog, on
  std::shared_ptr<v8::BackingStore> shared_memory;
  int32_t* shared = nullptr;           // kSharedCount of them, in that
  std::unique_ptr<AsyncIds> async_ids; // nullptr as long as JavaScript has not found them
  std::vector<std::string> own_scripts;  // how the names of scripts begin that are never preempted
  v8::Global<v8::Function> choose;     // choose(slots) -> the place of the one that is next; empty: nobody chooses (choose.cc)
  v8::Global<v8::Function> terminated; // terminated(slot, preemptions): V8 has ended it, as td.terminate() asked
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
  std::vector<size_t> stack_sizes;     // by slot: how much stack JavaScript may use
  std::vector<char> watched;           // by slot: V8 may be told to terminate what it does (vm-region.ts)
  std::vector<uint32_t> free_slots;
  std::vector<Failure> failures;       // fresh threads that could not get a stack, not yet reported
  std::unordered_map<uint32_t, std::unique_ptr<NativeThread>> natives;  // by slot: native userthreads whose end JavaScript does not know
  std::vector<uint32_t> ended;         // of those, the slots of the ones that have ended, in order
  std::vector<v8::Global<v8::Data>> continuation;  // by slot: the async context a fresh thread inherits
  v8::Global<v8::Data> held_continuation;          // see continuation-gc.cc
  std::vector<std::unique_ptr<JoinContext>> joins;  // the contexts whose lists go with the threads
  int stringifies = 0;                 // threads that are switched out below JSON.stringify (Node 22)
  int on_addon_stacks = 0;             // those below an addon that has one stack for all: at most one (addon-stacks.cc)
  int first_level = 0;                 // handle scopes that are open where a thread begins
  uint64_t* central_size = nullptr;    // V8's word for the size of the running stack; nullptr: it has none, or it was not found (central-stack.cc)
  uint64_t thread0_central_size = 0;   // what it was before there were userthreads
  bool looked_for_central_size = false;
  uintptr_t undefined = 0;             // the value, as V8 has it in memory
};

/** The environment's Cpu; only on a kernel thread that loaded the addon. */
inline Cpu* current_cpu() { return static_cast<Cpu*>(lwkt_thread0()->td_data); }

inline int32_t slot_of(lwkt_thread_t td) { return static_cast<int32_t>(reinterpret_cast<uintptr_t>(td->td_arg)); }

/** As long as this lives others may run, and curthread() is theirs. On a userthread of JavaScript's, or on thread0, which then stays where it is. */
class Away {
 public:
  explicit Away(Cpu* cpu) : running_(&cpu->shared[kRunning]), slot_(*running_) { *running_ = -1; }
  ~Away() { *running_ = slot_; }
  Away(const Away&) = delete;
  Away& operator=(const Away&) = delete;

 private:
  int32_t* running_;
  int32_t slot_;
};

// resident.cc
extern const lwkt_resident js_resident;
void js_switch(lwkt_context* from, lwkt_context* to);
int js_block(const char* wmesg);
int js_aborting();
size_t stack_to_map(size_t size);
size_t stack_room();
BlockResult block_current(const char* wmesg);
BlockResult after_wait(Cpu* cpu);
BlockResult may_switch(Cpu* cpu);
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

// join-stack.cc
bool join_init(Cpu* cpu, v8::Local<v8::Context> context);
void join_add(Cpu* cpu, v8::Local<v8::Context> context);
void join_close(Cpu* cpu);
std::unique_ptr<JoinLists> join_leave(Cpu* cpu);
void join_arrive(Cpu* cpu, JoinLists* lists);

// central-stack.cc
void set_stack_limit(Cpu* cpu, uintptr_t limit);

// napi-scopes.cc
bool napi_scopes_init(Cpu* cpu);
int scope_level(Cpu* cpu);
bool has_more_scopes(Cpu* cpu);

// interrupted-place.cc
bool below_stringify(lwkt_thread_t td);

// addon-stacks.cc
bool below_addon_stack(lwkt_thread_t td);

// terminate.cc
void terminate_userthreads(Cpu* cpu);
bool ended_with_environment(Cpu* cpu);
void request_termination(Cpu* cpu);
void repeat_termination(Cpu* cpu);

}  // namespace libcr

#endif
