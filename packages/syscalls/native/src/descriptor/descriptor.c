/*
 * descriptor.c - what is known of the caller's descriptors, so that it need not be asked for each call. Which are libcr's own its user
 * knows (wait/user.h).
 *
 * Known is what does not change while a number stands for the same file: whether reads and writes end by themselves, whether it is a socket, of which kind, and that it
 * has no timeouts. It is forgotten when a call goes through libcr that gives the number another meaning. O_NONBLOCK, which another process may set, is a
 * hint: it decides in which order things are tried, never what the caller gets. Nothing is known where calls are made that do not come by here (sees_all).
 *
 * Invariant: nothing is noted that was found out while such a call was under way.
 */
#include "descriptor/descriptor.h"
#include "descriptor/device.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "wait/ways.h"

#define NUMBERS 65536 /* of higher ones nothing is noted */
#define KNOWN 1
#define UNTIMED 8

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

static volatile uint8_t known[NUMBERS];
static uint32_t lock;
static uint64_t highest; /* of which something is noted */
static unsigned changes, changing; /* calls that change something: begun and ended; under way */

/* ---------------------------------------------------------------- what is known */

static bool is_remembered(uint64_t fd)
{
	return fd < NUMBERS && call_user->sees_all && !(call_user->files_are_shared && *call_user->files_are_shared);
}

static unsigned begin_note(void)
{
	return __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
}

static void note(uint64_t fd, uint8_t what, unsigned since)
{
	if (!is_remembered(fd))
		return;
	lwkt_word_lock(&lock);
	if (!changing && changes == since) {
		known[fd] |= what;
		if (fd > highest)
			highest = fd;
	}
	lwkt_word_unlock(&lock);
}

static bool is_stream(uint64_t fd)
{
	int type = 0;
	uint32_t size = sizeof(type);

	return !kernel_call(SYS_getsockopt, (int)fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM;
}

unsigned descriptor_look(int number)
{
	uint64_t fd = (uint32_t)number;
	unsigned since = begin_note(), what = is_remembered(fd) ? known[fd] : 0;
	struct stat about;

	if (what)
		return what;
	if (kernel_call(SYS_fstat, (int)fd, &about))
		return DESCRIPTOR_ENDS; /* there is none: the call says so */
	what = KNOWN;
	if (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode) || S_ISBLK(about.st_mode) || device_never_waits(&about))
		what |= DESCRIPTOR_ENDS;
	if (S_ISSOCK(about.st_mode))
		what |= is_remembered(fd) && is_stream(fd) ? DESCRIPTOR_SOCKET | DESCRIPTOR_STREAM : DESCRIPTOR_SOCKET;
	note(fd, (uint8_t)what, since);
	return what;
}

bool descriptor_is_nonblocking(int number)
{
	uint64_t fd = (uint32_t)number;
	long flags = kernel_call(SYS_fcntl, (int)fd, F_GETFL);
	bool nonblocking = flags < 0 || (flags & O_NONBLOCK); /* a descriptor that is none: the call says so */

	if (fd < NUMBERS && (known[fd] & KNOWN) && nonblocking != !!(known[fd] & DESCRIPTOR_NONBLOCKING)) {
		lwkt_word_lock(&lock);
		if (known[fd] & KNOWN)
			known[fd] ^= DESCRIPTOR_NONBLOCKING;
		lwkt_word_unlock(&lock);
	}
	return nonblocking;
}

static bool has_timeout(uint64_t fd, int option)
{
	int64_t timeout[2] = {0};
	uint32_t size = sizeof(timeout);

	return kernel_call(SYS_getsockopt, (int)fd, SOL_SOCKET, option, timeout, &size) || timeout[0] || timeout[1];
}

bool descriptor_is_timed(int number)
{
	uint64_t fd = (uint32_t)number;
	unsigned since = begin_note(), what = descriptor_look(number);

	if (!(what & DESCRIPTOR_SOCKET) || (what & UNTIMED))
		return false;
	if (has_timeout(fd, SO_RCVTIMEO) || has_timeout(fd, SO_SNDTIMEO))
		return true;
	note(fd, UNTIMED, since);
	return false;
}

static void begin_change(uint64_t first, uint64_t last, uint8_t keep)
{
	lwkt_word_lock(&lock);
	changes++;
	changing++;
	for (uint64_t fd = first; fd <= last && fd <= highest; fd++)
		if (known[fd] & ~keep)
			known[fd] &= keep;
	lwkt_word_unlock(&lock);
}

static void end_change(void)
{
	lwkt_word_lock(&lock);
	changes++;
	changing--;
	lwkt_word_unlock(&lock);
}

void descriptor_forget(int fd)
{
	if ((uint32_t)fd < NUMBERS)
		known[fd] = 0;
}

void descriptors_forked(void)
{
	lock = 0;
	changing = 0;
}

/* ---------------------------------------------------------------- calls that give a number another meaning */

static long change(struct caller *caller, const struct call *call, uint32_t fd)
{
	long result;

	begin_change(fd, fd, 0);
	result = make_call(caller, call);
	end_change();
	return result;
}

/** What lies between libcr's own. */
static long close_between(struct caller *caller, const struct call *call, uint64_t first, uint64_t last)
{
	struct call piece = *call;
	int64_t skipped;
	long error = 0;

	while (!error && first <= last) {
		skipped = call_user->own_first ? call_user->own_first(caller, first, last) : -1;
		piece.args[0] = (long)first;
		piece.args[1] = skipped < 0 ? (long)last : skipped - 1;
		if (skipped < 0 || (uint64_t)skipped > first)
			error = make_call(caller, &piece);
		first = skipped < 0 ? last + 1 : (uint64_t)skipped + 1;
	}
	return error;
}

static long close_numbers(struct caller *caller, const struct call *call)
{
	uint32_t first = (uint32_t)call->args[0], last = (uint32_t)call->args[1];
	long result;

	if (first > last || (call->args[2] & CLOSE_RANGE_CLOEXEC))
		return make_call(caller, call);
	begin_change(first, last, 0);
	result = close_between(caller, call, first, last);
	end_change();
	return result;
}

static long set_option(struct caller *caller, const struct call *call)
{
	int option = (int)call->args[2];
	long result;

	if ((int)call->args[1] != SOL_SOCKET || (option != SO_RCVTIMEO_OLD && option != SO_SNDTIMEO_OLD && option != SO_RCVTIMEO_NEW && option != SO_SNDTIMEO_NEW))
		return make_call(caller, call);
	begin_change(0, UINT64_MAX, (uint8_t)~UNTIMED); /* another number may stand for the same socket */
	result = make_call(caller, call);
	end_change();
	return result;
}

const int descriptor_changes[] = {SYS_close, SYS_dup2, SYS_dup3, SYS_close_range, SYS_setsockopt, -1};

long descriptor_change(struct caller *caller, const struct call *call)
{
	switch (call->number) {
	case SYS_close: return change(caller, call, (uint32_t)call->args[0]);
	case SYS_dup2:
	case SYS_dup3: return change(caller, call, (uint32_t)call->args[1]);
	case SYS_close_range: return close_numbers(caller, call);
	default: return set_option(caller, call);
	}
}
