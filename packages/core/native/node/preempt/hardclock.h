/*
 * hardclock.h - the clock interrupt of a JavaScript rfork: a kernel thread that asks V8 to interrupt what runs, when a preemptible userthread's slice is
 * over and somebody else could run, and when the event loop has not turned for longer than a watchdog allows. (DragonFly: hardclock)
 *
 * Not here: what is done about it, which happens on the rfork's own kernel thread (preempt.cc, watch-loop.cc).
 *
 * There is one for each rfork that has asked for it. It sleeps for good while no preemptible thread runs and no watchdog is set.
 *
 * Invariants:
 *  - The kernel thread touches V8 by RequestInterrupt only, and an rfork's state by lwkt_runs_on and lwkt_is_wanted only.
 *  - A Hardclock is never freed: V8 keeps its address with requests that it has not served. It goes to another rfork when its own ends.
 */
#ifndef LWKT_NODE_HARDCLOCK_H
#define LWKT_NODE_HARDCLOCK_H

#include <uv.h>
#include <v8.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "../../include/lwkt.h"

namespace libcr {

struct Cpu;
struct Inbox;

class Hardclock {
 public:
  /** One for this rfork. nullptr: the system refuses a kernel thread. */
  static Hardclock* begin(Cpu* cpu);
  /** The rfork ends; afterwards nothing of it is touched. */
  void end();

  /** Whose it is; nullptr while it is nobody's. On that rfork's kernel thread only. */
  Cpu* cpu() const { return cpu_; }

  /** td, which runs, is to be interrupted from that time on (ns of CLOCK_MONOTONIC; uv_hrtime). */
  void arm(lwkt_thread_t td, uint64_t due) {
    td_.store(td, std::memory_order_relaxed);
    due_.store(due);
    if (next_.load() > due) wake();
  }
  /** Nobody is. */
  void disarm() { due_.store(0, std::memory_order_relaxed); }
  /** td leaves its region, in which it has run since begun. Nobody is to be interrupted. */
  void leave(lwkt_thread_t td, uint64_t begun);
  /** Since when td, which enters a region, has run in regions without giving way; now, if it has not. */
  uint64_t left(lwkt_thread_t td, uint64_t now) const;
  /** Whether somebody is known to wait for the rfork's processor. */
  bool somebody_waits(uint64_t now);
  /** Whether somebody waits for a thread that should have given way at due. On the rfork's kernel thread. */
  bool wanted(uint64_t due, uint64_t now);

  /** When td's slice is over; 0: that is not asked for. */
  uint64_t due(lwkt_thread_t td) const { return td_.load(std::memory_order_relaxed) == td ? due_.load(std::memory_order_relaxed) : 0; }

  /** The event loop has a timer at that time (UINT64_MAX: none; 0: it has something to do now). */
  void loop_due(uint64_t time) { loop_due_.store(time, std::memory_order_relaxed); }

  /** The watchdog: the event loop may go on without turning for so many ns; 0: for ever. */
  void watch(uint64_t limit);
  /** The event loop turns. */
  void turn() { turns_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void run();
  void wake();
  void sleep(uint64_t ns);
  uint64_t look(uint64_t now);
  uint64_t look_at_slice(uint64_t now);
  uint64_t look_at_loop(uint64_t now);
  void ask();

  // Written on the rfork's kernel thread, read on ours.
  std::atomic<lwkt_thread_t> td_{nullptr};
  std::atomic<uint64_t> due_{0};
  std::atomic<uint64_t> loop_due_{UINT64_MAX};
  std::atomic<uint64_t> limit_{0};
  std::atomic<uint64_t> turns_{0};

  // Ours, but for wake().
  std::atomic<uint64_t> next_{0};  // when we look again; UINT64_MAX: when we are woken
  int bell_ = -1;       // an eventfd: next_ may be too late
  int looked_at_ = -1;  // the event loop's descriptor, where it is to wake us; -1: it is not (poll takes no notice of that)
  uint64_t last_turns_ = 0, last_idle_ = 0, last_move_ = 0;

  std::mutex lock_;  // what follows: between our asking and the rfork's end
  v8::Isolate* isolate_ = nullptr;
  globaldata_t gd_ = nullptr;
  uv_loop_t* loop_ = nullptr;
  std::shared_ptr<Inbox> inbox_;

  // The rfork's.
  lwkt_thread_t left_td_ = nullptr;  // who left a region last
  uint64_t left_begun_ = 0, left_switches_ = 0;

  Cpu* cpu_ = nullptr;
  Hardclock* spare_ = nullptr;  // the next of those that are nobody's
};

}  // namespace libcr

#endif
