/*
 * hardclock.cc - the kernel thread behind an rfork's clock interrupt. See hardclock.h.
 *
 * An interrupt costs the interrupted thread a turn of the event loop, so it is asked for only if somebody is known to wait: another runnable thread, an IPI
 * message, an envelope, a descriptor that the loop polls, a timer. Nobody outside can see whether microtasks are queued: so a thread that nobody is known to
 * wait for is interrupted all the same, but a good while later.
 */
#include "hardclock.h"

#include <cerrno>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "../cpu.h"
#include "../rfork/envelope.h"
#include "preempt.h"

namespace libcr {

static const uint64_t kAgain = 1000000;  // ns until the next request, where one has not been obeyed: V8 serves them late, or the place was a bad one
// Each look takes a little from who computes, on the same processor perhaps. So they get rarer; what the loop polls is seen at once all the same.
static const uint64_t kLook = 2000000, kLookLate = 16000000;  // ns until the next look whether somebody waits
static const uint64_t kQuiet = 40000000;                      // ns that a slice lasts longer where nobody is known to wait

static std::mutex spares_lock;
static Hardclock* spares;

Hardclock* Hardclock::begin(Cpu* cpu) {
  Hardclock* clock;
  bool fresh;

  {
    std::lock_guard<std::mutex> guard(spares_lock);
    clock = spares;
    fresh = clock == nullptr;
    if (clock) spares = clock->spare_;
  }
  if (fresh) {
    clock = new Hardclock();
    clock->bell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    auto run = [](void* arg) -> void* {
      static_cast<Hardclock*>(arg)->run();
      return nullptr;
    };

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);  // inherited: signals go to others
    int error = clock->bell_ < 0 ? errno : pthread_create(&thread, &attr, run, clock);
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
    pthread_attr_destroy(&attr);
    if (error) {
      if (clock->bell_ >= 0) close(clock->bell_);
      delete clock;
      return nullptr;
    }
    pthread_setname_np(thread, "hardclock");
  }
  std::lock_guard<std::mutex> guard(clock->lock_);
  clock->cpu_ = cpu;
  clock->isolate_ = cpu->isolate;
  clock->gd_ = lwkt_mycpu();
  clock->loop_ = cpu->loop;
  clock->inbox_ = cpu->inbox;
  return clock;
}

void Hardclock::end() {
  disarm();
  limit_.store(0);
  loop_due_.store(UINT64_MAX);
  {
    std::lock_guard<std::mutex> guard(lock_);
    cpu_ = nullptr;
    isolate_ = nullptr;
    inbox_.reset();
  }
  std::lock_guard<std::mutex> guard(spares_lock);
  spare_ = spares;
  spares = this;
}

static uint64_t switches() {
  struct lwkt_stats stats;

  lwkt_stats(&stats);
  return stats.st_switches;
}

void Hardclock::leave(lwkt_thread_t td, uint64_t begun) {
  disarm();
  left_td_ = td;
  left_begun_ = begun;
  left_switches_ = switches();
}

uint64_t Hardclock::left(lwkt_thread_t td, uint64_t now) const { return left_td_ == td && left_switches_ == switches() ? left_begun_ : now; }

bool Hardclock::wanted(uint64_t due, uint64_t now) { return now >= due + kQuiet || somebody_waits(now); }

void Hardclock::watch(uint64_t limit) {
  limit_.store(limit);
  wake();
}

void Hardclock::wake() {
  uint64_t one = 1;

  if (write(bell_, &one, sizeof(one)) < 0) return;  // full: it is ringing
}

void Hardclock::run() {
  for (;;) {
    uint64_t due = due_.load(), now = uv_hrtime(), next = look(now);

    next_.store(next);
    if (due_.load() != due) continue;  // armed meanwhile, by who may have believed that we look in time
    if (next > now) sleep(next == UINT64_MAX ? next : next - now);
  }
}

/** For at most so many ns (UINT64_MAX: for ever), until the bell rings, or, where that is looked for, there is something to do in the loop. */
void Hardclock::sleep(uint64_t ns) {
  struct pollfd fds[] = {{bell_, POLLIN, 0}, {looked_at_, POLLIN, 0}};
  struct timespec timeout = {static_cast<time_t>(ns / 1000000000), static_cast<long>(ns % 1000000000)};
  uint64_t rings;

  if (ppoll(fds, 2, ns == UINT64_MAX ? nullptr : &timeout, nullptr) > 0 && fds[0].revents && read(bell_, &rings, sizeof(rings)) < 0) return;
}

uint64_t Hardclock::look(uint64_t now) {
  std::lock_guard<std::mutex> guard(lock_);

  looked_at_ = -1;
  if (!isolate_) return UINT64_MAX;
  uint64_t slice = look_at_slice(now), loop = look_at_loop(now);
  return slice < loop ? slice : loop;
}

uint64_t Hardclock::look_at_slice(uint64_t now) {
  uint64_t due = due_.load();

  if (due == 0) return UINT64_MAX;
  if (now < due) return due;
  if (!lwkt_runs_on(gd_, td_.load(std::memory_order_relaxed))) {
    due_.compare_exchange_strong(due, 0);  // it arms us again when it goes on
    return due_.load() ? now : UINT64_MAX;
  }
  if (!wanted(due, now)) {
    looked_at_ = uv_backend_fd(loop_);
    return now + std::clamp(now - due, kLook, kLookLate);
  }
  ask();
  return now + kAgain;
}

bool Hardclock::somebody_waits(uint64_t now) {
  struct pollfd loop = {uv_backend_fd(loop_), POLLIN, 0};

  return lwkt_is_wanted(gd_) || (inbox_ && !inbox_->empty()) || loop_due_.load(std::memory_order_relaxed) <= now || poll(&loop, 1, 0) > 0;
}

/**
 * Whether the event loop has stood still for too long. It moves when it turns, and while it sleeps in its poll, which libuv counts.
 */
uint64_t Hardclock::look_at_loop(uint64_t now) {
  uint64_t limit = limit_.load();

  if (limit == 0) return UINT64_MAX;
  uint64_t turns = turns_.load(std::memory_order_relaxed), idle = uv_metrics_idle_time(loop_);
  if (turns != last_turns_ || idle != last_idle_ || last_move_ == 0) {
    last_turns_ = turns;
    last_idle_ = idle;
    last_move_ = now;
  }
  if (now - last_move_ < limit) return now + (limit + 3) / 4;
  ask();
  return now + limit;
}

void Hardclock::ask() { isolate_->RequestInterrupt(on_interrupt, this); }

}  // namespace libcr
