/*
 * loop.cc - where userthreads meet the event loop: a pass after each poll, as long as there is something to do.
 *
 * A pass runs inside a callback scope, so that nextTick callbacks and microtasks run when it ends: exactly as after any other
 * callback of Node's. It takes at most Cpu::pass_ns, so timers and I/O never starve; while nobody is runnable no handle is active,
 * so an idle program sleeps in the kernel, and one with nothing left to do exits.
 *
 * What other rforks send is looked for at each turn of the loop, and handed to JavaScript at the beginning of a pass, or by a userthread that would
 * wait (remote.cc). Before each poll the loop says that it may sleep: from then on an IPI message rings the doorbell, which the poll watches. Nothing of that keeps the loop
 * alive, but for loop_hold. A timed wait in C does, as a timer of JavaScript's.
 *
 * Invariant: idle is started exactly while active is set.
 */
#include <unistd.h>

#include "state/continuation.h"
#include "cpu.h"
#include "rfork/envelope.h"
#include "preempt/preempt.h"
#include "choose.h"

namespace libcr {

static void set_active(Cpu* cpu, bool on) {
  if (cpu->active == on || cpu->open_handles == 0) return;
  cpu->active = on;
  if (on)
    uv_idle_start(&cpu->idle, [](uv_idle_t*) {});
  else
    uv_idle_stop(&cpu->idle);
}

static bool has_work(Cpu* cpu) { return lwkt_runnable() || remote_pending(cpu); }

/** After a pass that leaves nobody runnable: the loop must not sleep longer than the first timed wait lasts. */
static void arm_timed(Cpu* cpu) {
  uint64_t ns = lwkt_next_timer();

  if (ns == UINT64_MAX || cpu->open_handles == 0)
    uv_timer_stop(&cpu->timed);
  else
    uv_timer_start(&cpu->timed, [](uv_timer_t* timer) { loop_wake(static_cast<Cpu*>(timer->data)); }, ns / 1000000 + 1, 0);
}

static void run_pass(Cpu* cpu) {
  v8::Isolate* isolate = cpu->isolate;
  v8::HandleScope handles(isolate);

  cpu->pass_end = uv_hrtime() + cpu->pass_ns;
  remote_attend(cpu);
  if (cpu->hardclock) note_loop(cpu);
  // Several rounds in one pass: the microtasks of one often make the next one's threads runnable.
  cpu->passes++;
  do {
    v8::HandleScope round_handles(isolate);
    v8::Local<v8::Context> context = cpu->context.Get(isolate);
    v8::Context::Scope context_scope(context);
    node::CallbackScope scope(isolate, cpu->resource.Get(isolate), cpu->async_context);
    v8::Local<v8::Data> continuation = get_continuation(isolate);
    lwkt_process_ipiq();
    deliver_on_thread0(cpu, context);
    if (cpu->choose.IsEmpty())
      lwkt_dispatch(cpu->pass_ns);
    else
      dispatch_chosen(cpu, context);
    set_continuation(isolate, continuation);
    report_failures(cpu, context);
    report_ended(cpu, context);
  } while (has_work(cpu) && !cpu->terminating && uv_hrtime() < cpu->pass_end);
  set_active(cpu, has_work(cpu));
  if (!cpu->active) arm_timed(cpu);
  trim_wake(cpu);
}

static void on_prepare(uv_prepare_t* handle) {
  Cpu* cpu = static_cast<Cpu*>(handle->data);

  if (cpu->active) return;
  if ((cpu->inbox && !cpu->inbox->leave()) || !lwkt_loop_sleeps(cpu->holds > 0)) set_active(cpu, true);
}

static void on_check(uv_check_t* handle) {
  Cpu* cpu = static_cast<Cpu*>(handle->data);

  if (ended_with_environment(cpu)) return;
  if (lwkt_loop_wakes() || cpu->active) run_pass(cpu);
}

/** The last thing before the poll, and the first after it, while somebody watches. */
static void on_prepare_watched(uv_prepare_t* handle) {
  on_prepare(handle);
  if (static_cast<Cpu*>(handle->data)->traced) lwkt_trace_mark(LWKT_TRACE_MARK, 0, 1, 0);
  lwkt_cputime_idle(1);
}

static void on_check_watched(uv_check_t* handle) {
  lwkt_cputime_idle(0);
  if (static_cast<Cpu*>(handle->data)->traced) lwkt_trace_mark(LWKT_TRACE_MARK, 0, 0, 0);
  on_check(handle);
}

static void watch(Cpu* cpu) {
  bool on = cpu->traced || cpu->counted;

  if (cpu->open_handles == 0) return;
  uv_prepare_stop(&cpu->prepare);
  uv_check_stop(&cpu->check);
  uv_prepare_start(&cpu->prepare, on ? on_prepare_watched : on_prepare);
  uv_check_start(&cpu->check, on ? on_check_watched : on_check);
}

void loop_trace(Cpu* cpu, bool on) {
  cpu->traced = on;
  watch(cpu);
}

void loop_count(Cpu* cpu, bool on) {
  cpu->counted = on;
  watch(cpu);
}

static void on_doorbell(uv_poll_t* handle, int, int) {
  uint64_t rings;

  (void)!read(lwkt_doorbell(), &rings, sizeof(rings));  // what it means is seen at the check that follows
  (void)handle;
}

void loop_wake(Cpu* cpu) {
  if (!cpu->active) set_active(cpu, true);
}

void loop_hold(Cpu* cpu, bool on) {
  if (cpu->open_handles == 0) return;
  if (on)
    uv_ref(reinterpret_cast<uv_handle_t*>(&cpu->doorbell));
  else
    uv_unref(reinterpret_cast<uv_handle_t*>(&cpu->doorbell));
}

int loop_init(Cpu* cpu) {
  int doorbell = lwkt_doorbell();
  int error;

  if (doorbell < 0) return doorbell;
  if ((error = uv_prepare_init(cpu->loop, &cpu->prepare)) != 0) return error;
  if ((error = uv_check_init(cpu->loop, &cpu->check)) != 0) return error;
  if ((error = uv_idle_init(cpu->loop, &cpu->idle)) != 0) return error;
  if ((error = uv_poll_init(cpu->loop, &cpu->doorbell, doorbell)) != 0) return error;
  if ((error = uv_timer_init(cpu->loop, &cpu->timed)) != 0) return error;
  if ((error = trim_init(cpu)) != 0) return error;
  if ((error = watch_loop_init(cpu)) != 0) return error;
  cpu->prepare.data = cpu->check.data = cpu->idle.data = cpu->doorbell.data = cpu->timed.data = cpu;
  uv_prepare_start(&cpu->prepare, on_prepare);
  uv_check_start(&cpu->check, on_check);
  if ((error = uv_poll_start(&cpu->doorbell, UV_READABLE, on_doorbell)) != 0) return error;
  uv_unref(reinterpret_cast<uv_handle_t*>(&cpu->prepare));
  uv_unref(reinterpret_cast<uv_handle_t*>(&cpu->check));
  uv_unref(reinterpret_cast<uv_handle_t*>(&cpu->doorbell));
  cpu->open_handles = 8;
  return 0;
}

static void on_closed(uv_handle_t* handle) {
  Cpu* cpu = static_cast<Cpu*>(handle->data);

  if (--cpu->closing_handles == 0) cpu->closed(cpu);
}

void loop_close(Cpu* cpu, void (*closed)(void*)) {
  set_active(cpu, false);
  cpu->closing_handles = cpu->open_handles;
  cpu->open_handles = 0;
  cpu->closed = closed;
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->prepare), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->check), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->idle), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->doorbell), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->timed), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->trim), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->watch_prepare), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&cpu->watch_check), on_closed);
}

}  // namespace libcr
