/*
 * trim.cc - gives the stacks of a burst of userthreads back to the system, a little at a time, when the program no longer uses them.
 *
 * What is worth keeping is what the load takes and gives back: how far the number of stacks in use rose and fell within the last second.
 * A steady load, however large, keeps all the stacks it goes through; threads that only stay blocked keep no idle ones. When
 * the load falls, what is kept halves with each look. Nothing here runs where threads are switched, made or ended.
 *
 * Invariants:
 *  - The timer runs exactly while `trimming` is set: from a pass that leaves more than kFloor idle stacks until there are no more than that,
 *    or the load uses them. So an idle program goes back to sleep for good, and the timer never keeps one alive (uv_unref).
 *  - Only the timer's callback trims, on thread0 at the event loop's base level.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include "cpu.h"

namespace libcr {

static const unsigned kFloor = 64;         // idle stacks that stay anyway
static const unsigned kBatch = 100;        // given back in one tick
static const uint64_t kTickMs = 10;        // between ticks that have something to give back
static const uint64_t kLookMs = 250;       // between looks at the load
static const unsigned kMany = 1000;        // stacks after which malloc is asked for what their threads have left behind

/**
 * What V8 and we allocate for each thread lies in malloc's memory among pieces that stay, where free() gives nothing back to the system: after
 * three bursts of 20,000 threads 229 MB stayed, with this 155 MB. It takes up to 200 ms, so not on the event loop. The kernel thread
 * begins in the C library, which is still there should this addon be unloaded meanwhile.
 */
static void trim_malloc() {
  pthread_attr_t attr;
  pthread_t thread;
  sigset_t all, old;

  if (pthread_attr_init(&attr) != 0) return;
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);  // inherited: signals go to others
  // Its argument is a size_t, passed as a pointer is. Where no thread can be had, nothing is lost but memory.
  (void)pthread_create(&thread, &attr, reinterpret_cast<void* (*)(void*)>(malloc_trim), nullptr);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_attr_destroy(&attr);
}

static unsigned pooled() {
  struct lwkt_stats stats;

  lwkt_stats(&stats);
  return stats.st_pooled;
}

/** Notes how far the load swung since the last look, and what is worth keeping then. */
static void look(Cpu* cpu) {
  unsigned wanted = kFloor;

  cpu->swings[cpu->looks++ % kSwings] = lwkt_pool_swing();
  for (unsigned swing : cpu->swings)
    if (swing > wanted) wanted = swing;
  cpu->keep = wanted > cpu->keep / 2 ? wanted : cpu->keep / 2;
}

static void on_timer(uv_timer_t* handle) {
  Cpu* cpu = static_cast<Cpu*>(handle->data);
  v8::HandleScope handles(cpu->isolate);
  uint64_t now = uv_now(cpu->loop);

  if (now >= cpu->next_look) {
    look(cpu);
    cpu->next_look = now + kLookMs;
  }
  cpu->trimmed += lwkt_pool_trim(cpu->keep, kBatch);
  if (pooled() <= kFloor) {
    cpu->trimming = false;
    if (cpu->trimmed >= kMany) trim_malloc();
    return;
  }
  uv_timer_start(handle, on_timer, pooled() > cpu->keep ? kTickMs : cpu->next_look - now, 0);
}

/** After a pass. */
void trim_wake(Cpu* cpu) {
  if (cpu->trimming || cpu->open_handles == 0 || pooled() <= kFloor) return;
  cpu->trimming = true;
  cpu->trimmed = 0;
  cpu->keep = pooled();  // as good a guess as any before the first look
  cpu->next_look = uv_now(cpu->loop) + kLookMs;
  uv_timer_start(&cpu->trim, on_timer, kLookMs, 0);
}

int trim_init(Cpu* cpu) {
  int error = uv_timer_init(cpu->loop, &cpu->trim);

  if (error) return error;
  cpu->trim.data = cpu;
  uv_unref(reinterpret_cast<uv_handle_t*>(&cpu->trim));
  return 0;
}

}  // namespace libcr
