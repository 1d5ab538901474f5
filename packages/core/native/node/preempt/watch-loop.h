/*
 * watch-loop.h - the watchdog of the event loop: who has kept it for longer than allowed.
 */
#ifndef LWKT_NODE_WATCH_LOOP_H
#define LWKT_NODE_WATCH_LOOP_H

#include <uv.h>
#include <v8.h>

#include <cstdint>
#include <string>

#include "../functions.h"

namespace libcr {

/** The watchdog of an rfork. */
struct LoopWatch {
  uint64_t limit = 0;      // ns; 0: nobody watches
  uint64_t since = 0;      // when the loop turned last
  uint64_t idle = 0;       // how long it had slept in its poll by then
  bool seen = false;       // what follows is of this turn
  int32_t slot = -1;       // who ran; -1: thread0
  uint64_t id = 0;         // its td_id
  std::string name;
  std::string stack;       // where
  v8::Global<v8::Function> on_block;  // onBlock(slot, name, stack, ms)
};

/** In V8's interrupt: if the loop has been kept for too long, and this turn's has not been noted yet, notes who runs. */
void look_who_keeps_the_loop(Cpu* cpu);

/** JavaScript's stack where it is interrupted, or where a visited thread stands, as text: a line each. */
std::string stack_text(v8::Isolate* isolate);

int watch_loop_init(Cpu* cpu);

}  // namespace libcr

#endif
