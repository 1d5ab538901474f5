/*
 * api.cc - struct lwkt_api, the table that other native halves and native userthreads' libraries call libcr through. Only rows; what they do is
 * elsewhere.
 *
 * Invariant: whoever makes a thread runnable on thread0, in a function of an addon, must tell the event loop, which may be about to sleep or to
 * run dry. On a userthread there is no need: the pass looks when it ends.
 */
#include "cpu.h"

namespace libcr {

static void wake_loop() {
  Cpu* cpu = current_cpu();

  if (lwkt_runnable()) loop_wake(cpu);
}

/** Waking<F>::call is F, and the event loop hears of what it has made runnable. */
template <auto F>
struct Waking;

template <typename Result, typename... Args, Result (*F)(Args...)>
struct Waking<F> {
  static Result call(Args... args) {
    Result result = F(args...);

    wake_loop();
    return result;
  }
};

extern const lwkt_api api = {
    LWKT_VERSION,
    sizeof(lwkt_api),
    lwkt_curthread,
    Waking<lwkt_schedule>::call,
    js_block,
    js_aborting,
    Waking<lwkt_sendmsg>::call,
    lwkt_domsg,  // on thread0 of an event loop only what answers in place
    Waking<lwkt_replymsg>::call,
    lwkt_initmsg,
    lwkt_initport_putonly,
    Waking<lwkt_create>::call,
    lwkt_exit,
    lwkt_join,
    lwkt_block,
    lwkt_block_timed,
    lwkt_nanosleep,
    lwkt_yield,
    lwkt_yield_wanted,
    lwkt_setpri,
    Waking<lwkt_interrupt>::call,
    lwkt_crit_enter,
    lwkt_crit_exit,
    lwkt_initport_thread,
    lwkt_initport_spin,
    lwkt_initport_serialize,
    lwkt_initport_replyonly_null,
    lwkt_initmsg_abortable,
    Waking<lwkt_forwardmsg>::call,
    lwkt_getport,
    lwkt_waitport,
    lwkt_waitport_timed,
    lwkt_waitmsg,
    lwkt_waitmsg_timed,
    lwkt_checkmsg,
    lwkt_dropmsg,
    lwkt_default_abortmsg,
    Waking<lwkt_abortmsg>::call,
    lwkt_serialize_init,
    lwkt_serialize_enter,
    lwkt_serialize_try,
    Waking<lwkt_serialize_exit>::call,
    lwkt_wait_init,
    lwkt_wait_gen,
    lwkt_wait_block,
    lwkt_wait_block_timed,
    Waking<lwkt_wait_signal>::call,
};

}  // namespace libcr
