/*
 * watch-loop.cc - the watchdog of the event loop. While one is set, two handles of the loop note each of its turns; the Hardclock sees from outside that there
 * has been none for too long, and V8's interrupt looks who runs, userthread or not. What it has seen is told on the event loop, when that
 * turns again: no JavaScript may run in an interrupt.
 *
 * What can't be interrupted (a builtin, C++) is found when JavaScript goes on, and the stack is that of then.
 *
 * Invariant: the handles are started exactly while limit is set. One report for each turn.
 */
#include "watch-loop.h"

#include "../cpu.h"
#include "hardclock.h"

namespace libcr {

static void new_turn(Cpu* cpu) {
  LoopWatch& watch = cpu->watch;

  cpu->hardclock->turn();
  watch.since = uv_hrtime();
  watch.idle = uv_metrics_idle_time(cpu->loop);
  watch.seen = false;
}

/** Tells what was seen. On thread0, between two phases of the loop. */
static void report(Cpu* cpu) {
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  v8::Local<v8::Context> context = cpu->context.Get(isolate);
  v8::Context::Scope context_scope(context);
  LoopWatch& watch = cpu->watch;
  double ms = static_cast<double>(uv_hrtime() - watch.since - (uv_metrics_idle_time(cpu->loop) - watch.idle)) / 1e6;
  lwkt_thread_t td = watch.slot < 0 ? nullptr : cpu->threads[static_cast<size_t>(watch.slot)];
  bool ended = watch.slot >= 0 && (!td || td->td_id != watch.id);
  v8::Local<v8::Value> argv[] = {
      v8::Integer::New(isolate, ended ? -2 : watch.slot), v8::String::NewFromUtf8(isolate, watch.name.c_str()).ToLocalChecked(),
      v8::String::NewFromUtf8(isolate, watch.stack.c_str()).ToLocalChecked(), v8::Number::New(isolate, ms)};

  node::CallbackScope scope(isolate, cpu->resource.Get(isolate), cpu->async_context);
  watch.on_block.Get(isolate)->Call(context, v8::Undefined(isolate), 4, argv).IsEmpty();
}

static void on_turn(Cpu* cpu) {
  bool seen = cpu->watch.seen && !cpu->terminating;

  if (seen) report(cpu);
  if (cpu->watch.limit) new_turn(cpu);
}

void look_who_keeps_the_loop(Cpu* cpu) {
  LoopWatch& watch = cpu->watch;

  if (!watch.limit || watch.seen || uv_hrtime() - watch.since - (uv_metrics_idle_time(cpu->loop) - watch.idle) < watch.limit) return;
  watch.seen = true;
  watch.slot = cpu->shared[kRunning];
  watch.id = lwkt_curthread()->td_id;
  watch.name = watch.slot < 0 ? "thread0" : lwkt_curthread()->td_comm;
  watch.stack = stack_text(cpu->isolate);
}

int watch_loop_init(Cpu* cpu) {
  int error;

  if ((error = uv_prepare_init(cpu->loop, &cpu->watch_prepare)) != 0) return error;
  if ((error = uv_check_init(cpu->loop, &cpu->watch_check)) != 0) return error;
  cpu->watch_prepare.data = cpu->watch_check.data = cpu;
  return 0;
}

/** watchLoop(limit, onBlock) -> 0 or an errno. limit: ms; 0: nobody watches any more. */
void WatchLoop(Args args) {
  Cpu* cpu = current_cpu();
  auto limit = static_cast<uint64_t>(args[0].As<v8::Number>()->Value() * 1e6);

  if (cpu->open_handles == 0) return args.GetReturnValue().Set(ECANCELED);
  if (!cpu->hardclock && !(cpu->hardclock = Hardclock::begin(cpu))) return args.GetReturnValue().Set(EAGAIN);
  cpu->watch.limit = limit;
  cpu->watch.on_block.Reset();
  if (limit) {
    cpu->watch.on_block.Reset(cpu->isolate, args[1].As<v8::Function>());
    new_turn(cpu);
    uv_prepare_start(&cpu->watch_prepare, [](uv_prepare_t* handle) { on_turn(static_cast<Cpu*>(handle->data)); });
    uv_check_start(&cpu->watch_check, [](uv_check_t* handle) { on_turn(static_cast<Cpu*>(handle->data)); });
    uv_unref(reinterpret_cast<uv_handle_t*>(&cpu->watch_prepare));
    uv_unref(reinterpret_cast<uv_handle_t*>(&cpu->watch_check));
  } else {
    uv_prepare_stop(&cpu->watch_prepare);
    uv_check_stop(&cpu->watch_check);
  }
  cpu->hardclock->watch(limit);
  args.GetReturnValue().Set(0);
}

}  // namespace libcr
