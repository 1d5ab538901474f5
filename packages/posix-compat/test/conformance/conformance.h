/*
 * conformance.h - what the conformance programs have in common. Each program is a list of behaviours, each one sentence of POSIX.1-2017 or C11 (or of
 * glibc's manual where those leave it out) and a function that holds if it returns.
 *
 *   PROGRAM         lists them: name, tab, sentence
 *   PROGRAM NAME    runs one: "pass", or "fail: where and what"; status 0, 1, or 77 with "skip: why" where the machine does not allow it
 *
 * A behaviour that waits for ever is ended by SIGALRM. "Not yet" is looked at after a moment: too short a moment makes a fault unseen, never a fault of what is right.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HANGS 200 /* seconds; CONFORMANCE_HANGS in the environment, where it is expected */
#define SKIPPED 77
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

struct behaviour {
	const char *name, *sentence;
	void (*run)(void);
	struct behaviour *next;
};

static struct behaviour *behaviours, **behaviours_end = &behaviours;

#define BEHAVIOUR(id, text)                                        \
	static void id(void);                                      \
	static struct behaviour id##_entry = {#id, text, id, NULL}; \
	__attribute__((constructor)) static void id##_add(void)     \
	{                                                           \
		*behaviours_end = &id##_entry;                      \
		behaviours_end = &id##_entry.next;                  \
	}                                                           \
	static void id(void)

__attribute__((format(printf, 1, 2), noreturn, unused)) static void fail(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("fail: %s\n", text);
	fflush(stdout);
	_exit(1);
}

__attribute__((noreturn, unused)) static void skip(const char *why)
{
	printf("skip: %s\n", why);
	fflush(stdout);
	_exit(SKIPPED);
}

#define CHECK(condition)                                                  \
	do {                                                              \
		if (!(condition))                                         \
			fail("line %d: not so: %s", __LINE__, #condition); \
	} while (0)

/* What a call answers, an error number or a value. */
#define GIVES(value, call)                                                                                             \
	do {                                                                                                           \
		long expected_ = (long)(value), got_ = (long)(call);                                                   \
		if (got_ != expected_)                                                                                 \
			fail("line %d: %s gives %ld (%s), not %s", __LINE__, #call, got_, strerror((int)got_), #value); \
	} while (0)
#define OK(call) GIVES(0, call)

/* What a call fails with that answers -1. */
#define SETS(error, call)                                                                                            \
	do {                                                                                                         \
		errno = 0;                                                                                           \
		if ((long)(call) != -1 || errno != (error))                                                          \
			fail("line %d: %s gives not -1 and %s, but %s", __LINE__, #call, #error, strerror(errno)); \
	} while (0)

__attribute__((unused)) static void moment(void)
{
	struct timespec left = {0, 20000000};

	while (nanosleep(&left, &left))
		;
}

/* Until it is so; if it never is, SIGALRM says so. */
#define UNTIL(condition)                \
	do {                            \
		while (!(condition))    \
			usleep(500);    \
	} while (0)

/* Signals for a thread until it is so: the first may come before the thread waits. */
#define KILL_UNTIL(condition, thread, sig)              \
	do {                                            \
		moment();                               \
		OK(pthread_kill(thread, sig));          \
	} while (!(condition))

/* A user for whom no other process has queued signals: RLIMIT_SIGPENDING counts a user's. Whether there is one: root can be it. */
__attribute__((unused)) static int own_user(void)
{
	if (geteuid())
		return 0;
	OK(setuid(1000000 + (uid_t)getpid()));
	return 1;
}

/* A time on a clock, so many milliseconds from now. */
__attribute__((unused)) static struct timespec from_now(clockid_t clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

__attribute__((unused)) static int has_come(clockid_t clock, const struct timespec *time)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec > time->tv_sec || (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

__attribute__((unused)) static pthread_t begin(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, run, arg));
	return thread;
}

__attribute__((unused)) static void *end(pthread_t thread)
{
	void *value = NULL;

	OK(pthread_join(thread, &value));
	return value;
}

/* Memory that children of fork share with their parent. */
__attribute__((unused)) static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

/* What a child ends with, as waitpid has it. */
__attribute__((unused)) static int status_of(pid_t child)
{
	int status = -1;

	CHECK(child > 0);
	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR);
	return status;
}

__attribute__((unused)) static void catch_with(int sig, void (*handler)(int), int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_handler = handler;
	act.sa_flags = flags;
	OK(sigaction(sig, &act, NULL));
}

int main(int argc, char **argv)
{
	for (struct behaviour *each = behaviours; each; each = each->next) {
		if (argc < 2) {
			printf("%s\t%s\n", each->name, each->sentence);
		} else if (!strcmp(each->name, argv[1])) {
			alarm(getenv("CONFORMANCE_HANGS") ? (unsigned)atoi(getenv("CONFORMANCE_HANGS")) : HANGS);
			each->run();
			puts("pass");
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}

#endif
