/*
 * said.h - what a debug build says on stderr about misuse: caught, and compared. In other builds it must say nothing.
 */
#ifndef LWKT_TEST_SAID_H
#define LWKT_TEST_SAID_H

#include <sys/mman.h>

#include "check.h"

static int said_file = -1, said_stderr = -1;
static char said[2048];

/** From here to said_end stderr is caught, also what a CHECK that fails in between says. */
static inline void said_begin(void)
{
	fflush(stderr);
	if (said_file < 0)
		said_file = memfd_create("said", MFD_CLOEXEC);
	CHECK(said_file >= 0);
	said_stderr = dup(STDERR_FILENO);
	CHECK(ftruncate(said_file, 0) == 0 && lseek(said_file, 0, SEEK_SET) == 0);
	CHECK(dup2(said_file, STDERR_FILENO) == STDERR_FILENO);
}

static inline void said_end(void)
{
	ssize_t length = pread(said_file, said, sizeof(said) - 1, 0);

	CHECK(dup2(said_stderr, STDERR_FILENO) == STDERR_FILENO);
	close(said_stderr);
	CHECK(length >= 0);
	said[length] = '\0';
}

/**
 * What was caught is one line that begins with the name of the function (the one that `call` begins with) and has all that is between the
 * bars of `parts` in it, in this order. NULL, and in other builds: it is nothing.
 */
static inline void said_check(const char *file, int line, const char *call, const char *parts)
{
	char start[64], copy[256], *at = said;
	const char *name = strstr(call, "lwkt_");

#ifndef LWKT_DEBUG
	parts = NULL;
#endif
	if (!parts) {
		if (said[0])
			fprintf(stderr, "said: %s\n", said), check_failed(file, line, call);
		return;
	}
	snprintf(start, sizeof(start), "libcr: %.*s: rfork ", (int)strcspn(name, "("), name);
	if (strncmp(said, start, strlen(start)) != 0 || strchr(said, '\n') != said + strlen(said) - 1)
		fprintf(stderr, "said: \"%s\", want one line from %s\n", said, start), check_failed(file, line, call);
	snprintf(copy, sizeof(copy), "%s", parts);
	for (char *rest, *part = strtok_r(copy, "|", &rest); part; part = strtok_r(NULL, "|", &rest)) {
		at = strstr(at, part);
		if (!at)
			fprintf(stderr, "said: %swithout: %s\n", said, part), check_failed(file, line, call);
		at += strlen(part);
	}
}

/** The call answers the error, and a debug build says so, with the running thread's id and name first, and then the parts. */
#define REFUSED(call, error, parts) \
	do { \
		char by_[256]; \
		int have_, errno_ = errno; \
		snprintf(by_, sizeof(by_), "thread %llu \"%s\": |%s", (unsigned long long)lwkt_curthread()->td_id, lwkt_curthread()->td_comm, parts); \
		said_begin(); \
		errno = 4711; \
		have_ = (call); \
		CHECK_EQ(errno, 4711); \
		errno = errno_; \
		said_end(); \
		CHECK_EQ(have_, error); \
		said_check(__FILE__, __LINE__, #call, by_); \
	} while (0)

#endif
