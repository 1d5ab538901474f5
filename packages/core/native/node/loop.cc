/*
 * loop.cc - where userthreads meet the event loop: a pass after each poll, as long as somebody is runnable.
 *
 * A pass runs inside a callback scope, so that nextTick callbacks and microtasks run when it ends: exactly as after any other
 * callback of Node's. It takes at most Cpu::pass_ns, so timers and I/O never starve; while nobody is runnable no handle is active,
 * so an idle program sleeps in the kernel, and one with nothing left to do exits.
 *
 * Invariant: check and idle are started exactly while active is set.
 */
#include "continuation.h"
#include "cpu.h"

namespace libcr {

static void set_active(Cpu* cpu, bool on);

void loop_run_pass(Cpu* cpu) {
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);
  uint64_t end = uv_hrtime() + cpu->pass_ns;

  // Several rounds in one pass: the microtasks of one often make the next one's threads runnable.
  do {
    v8::HandleScope round_handles(isolate);
    v8::Local<v8::Context> context = cpu->context.Get(isolate);
    v8::Context::Scope context_scope(context);
    node::CallbackScope scope(isolate, cpu->resource.Get(isolate), cpu->async_context);
    v8::Local<v8::Data> continuation = get_continuation(isolate);
    lwkt_dispatch(cpu->pass_ns);
    set_continuation(isolate, continuation);
    report_failures(cpu, context);
  } while (lwkt_runnable() && !cpu->terminating && uv_hrtime() < end);
  set_active(cpu, lwkt_runnable() != 0);
  trim_wake(cpu);
}

static void on_check(uv_check_t* handle) { loop_run_pass(static_cast<Cpu*>(handle->data)); }

static void on_idle(uv_idle_t*) {}

static void set_active(Cpu* cpu, bool on) {
  if (cpu->active == on || cpu->open_handles == 0) return;
  cpu->active = on;
  if (on) {
    uv_check_start(&cpu->check, on_check);
    uv_idle_start(&cpu->idle, on_idle);
  } else {
    uv_check_stop(&cpu->check);
    uv_idle_stop(&cpu->idle);
  }
}

void loop_wake(Cpu* cpu) {
  if (!cpu->active) set_active(cpu, true);
}

int loop_init(Cpu* cpu) {
  int error = uv_check_init(cpu->loop, &cpu->check);

  if (error) return error;
  error = uv_idle_init(cpu->loop, &cpu->idle);
  if (error) return error;
  error = trim_init(cpu);
  if (error) return error;
  cpu->check.data = cpu->idle.data = cpu;
  cpu->open_handles = 3;
  return 0;
}

static void on_closed(uv_handle_t* handle) {
  Cpu* cpu = static_cast<Cpu*>(handle->data);

  if (--cpu->closing_handles == 0) cpu->closed(cpu);
}

void loop_close(Cpu* cpu, void (*closed)(void*)) {
  set_active(cpu, false);
  cpu->open_handles = 0;
  cpu->closing_handles = 3;
  cpu->closed = closed;
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->check), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->idle), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->trim), on_closed);
}

}  // namespace libcr
