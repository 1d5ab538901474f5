/*
 * preempt.h - taking the CPU from a JavaScript userthread that computes, where that has been asked for: create(main, { preemptible: true }), preemptible().
 */
#ifndef LWKT_NODE_PREEMPT_H
#define LWKT_NODE_PREEMPT_H

#include <v8.h>

#include <cstdint>

#include "../../include/lwkt.h"
#include "../functions.h"

namespace libcr {

/** What is known of a thread while it is in a preemptible region: its td_data. Only its own rfork touches it. */
struct Preemptible {
  uint64_t begun = 0;      // when it began to run: its slice counts from there, however many regions and critical sections it enters and leaves meanwhile
  uint64_t look = 0;       // when to look again whether somebody waits, where a critical section ends after the slice
  uint64_t slice = 0;      // ns; 0: in a critical section, so it is not interrupted
  uintptr_t* far = nullptr;  // the word of its stack that has told last that it may not be preempted (may_preempt)
  uint32_t count = 0;      // how often it has been preempted in this region
  bool terminate = false;  // it is to end as soon as it computes
};

/** V8's interrupt, which a Hardclock has asked for: on the rfork's kernel thread, on whatever stack. data: the Hardclock. */
void on_interrupt(v8::Isolate* isolate, void* data);

/** td, a thread with TDF_PREEMPTIBLE, begins a slice: it has begun to run. */
void begin_slice(Cpu* cpu, lwkt_thread_t td);

/** A pass begins: what the event loop has to do next is noted, for who computes in it. */
void note_loop(Cpu* cpu);

/** On td, where a TryCatch has caught V8's termination: whether it was ours, for td alone. Then it is over, and JavaScript may run again. preemptions: those of
 *  its region. */
bool end_terminated(Cpu* cpu, lwkt_thread_t td, uint32_t* preemptions);

/** Whether td's JavaScript, which V8 has interrupted here, may be ended here: it is the program's. called: by a function of this package, which does not count.
 *  (interrupted-place.cc) */
bool may_end(Cpu* cpu, lwkt_thread_t td, bool called);

/** Where it may be ended: whether it may be switched away from, too. */
bool may_preempt(lwkt_thread_t td);

/** Where it may be switched away from: whether that is a loop that V8 has optimized, whose code must not go on as it is (forget_values). */
bool in_optimized_loop(lwkt_thread_t td);

/** What optimized code has read before is not to be relied on: all such code is given up, and goes on in code that reads again. */
void forget_values(Cpu* cpu);

}  // namespace libcr

#endif
