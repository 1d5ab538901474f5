/*
 * timer.c - POSIX' timers for JavaScript: timer_create and its like, and alarm. What they send is an ordinary signal of the process.
 *
 * Invariant: an environment's timers are in its list from their creation to their end, and end with it.
 */
#include "signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct timer {
	struct timer *next;
	int id; /* the kernel's */
};

static struct timespec timespec_of(double ns)
{
	uint64_t all = ns > 0 ? (uint64_t)ns : 0;

	return (struct timespec){ .tv_sec = (time_t)(all / 1000000000u), .tv_nsec = (long)(all % 1000000000u) };
}

static double ns_of(struct timespec t)
{
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* create(clock, sig, value) -> the kernel's number, or -errno. */
static napi_value create(napi_env env, napi_callback_info info)
{
	double args[3];
	struct environment *environment = arguments(env, info, args, 3);
	struct timer *timer = malloc(sizeof(*timer));
	struct sigevent event;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = (int)args[1];
	event.sigev_value.sival_int = (int)args[2];
	if (!timer)
		return number(env, -ENOMEM);
	if (syscall(SYS_timer_create, (clockid_t)args[0], &event, &timer->id) != 0) {
		int error = errno;

		free(timer);
		return number(env, -error);
	}
	timer->next = environment->timers;
	environment->timers = timer;
	return number(env, timer->id);
}

/* set(id, absolute, firstNs, intervalNs) -> 0 or -errno. */
static napi_value set(napi_env env, napi_callback_info info)
{
	double args[4];
	struct itimerspec value;

	arguments(env, info, args, 4);
	value.it_value = timespec_of(args[2]);
	value.it_interval = timespec_of(args[3]);
	return number(env, syscall(SYS_timer_settime, (int)args[0], args[1] != 0 ? TIMER_ABSTIME : 0, &value, NULL) == 0 ? 0 : -errno);
}

/* left(id) -> ns until it expires, 0: it is not armed; -errno. interval(id) -> ns. */
static napi_value look(napi_env env, napi_callback_info info, bool interval)
{
	double id;
	struct itimerspec value;

	arguments(env, info, &id, 1);
	if (syscall(SYS_timer_gettime, (int)id, &value) != 0)
		return number(env, -errno);
	return number(env, ns_of(interval ? value.it_interval : value.it_value));
}

static napi_value left(napi_env env, napi_callback_info info)
{
	return look(env, info, false);
}

static napi_value interval(napi_env env, napi_callback_info info)
{
	return look(env, info, true);
}

/* overrun(id) -> the count, or -errno. */
static napi_value overrun(napi_env env, napi_callback_info info)
{
	double id;
	long count;

	arguments(env, info, &id, 1);
	count = syscall(SYS_timer_getoverrun, (int)id);
	return number(env, count >= 0 ? (double)count : -errno);
}

/* end(id) -> 0 or -errno. */
static napi_value end(napi_env env, napi_callback_info info)
{
	double id;
	struct environment *environment = arguments(env, info, &id, 1);

	for (struct timer **at = &environment->timers; *at; at = &(*at)->next) {
		struct timer *timer = *at;

		if (timer->id != (int)id)
			continue;
		*at = timer->next;
		free(timer);
		return number(env, syscall(SYS_timer_delete, (int)id) == 0 ? 0 : -errno);
	}
	return number(env, -EINVAL);
}

void timer_end_all(struct environment *environment)
{
	while (environment->timers) {
		struct timer *timer = environment->timers;

		environment->timers = timer->next;
		syscall(SYS_timer_delete, timer->id);
		free(timer);
	}
}

/* alarm(ms) -> ms that were left; 0 disarms it. */
static napi_value set_alarm(napi_env env, napi_callback_info info)
{
	double ms;
	struct itimerval value, old;
	uint64_t us;

	arguments(env, info, &ms, 1);
	us = (uint64_t)(ms * 1000);
	if (ms > 0 && us == 0)
		us = 1;
	memset(&value, 0, sizeof(value));
	value.it_value.tv_sec = (time_t)(us / 1000000u);
	value.it_value.tv_usec = (suseconds_t)(us % 1000000u);
	if (setitimer(ITIMER_REAL, &value, &old) != 0)
		return number(env, -errno);
	return number(env, (double)old.it_value.tv_sec * 1e3 + (double)old.it_value.tv_usec / 1e3);
}

void timer_functions(napi_env env, napi_value exports)
{
	static const napi_property_descriptor functions[] = {
		{ "timerCreate", NULL, create, NULL, NULL, NULL, napi_default, NULL },
		{ "timerSet", NULL, set, NULL, NULL, NULL, napi_default, NULL },
		{ "timerLeft", NULL, left, NULL, NULL, NULL, napi_default, NULL },
		{ "timerInterval", NULL, interval, NULL, NULL, NULL, napi_default, NULL },
		{ "timerOverrun", NULL, overrun, NULL, NULL, NULL, napi_default, NULL },
		{ "timerEnd", NULL, end, NULL, NULL, NULL, napi_default, NULL },
		{ "alarm", NULL, set_alarm, NULL, NULL, NULL, napi_default, NULL },
	};

	napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
}
