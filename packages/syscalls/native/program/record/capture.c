/*
 * capture.c - what a call reads and what it writes, by the table of what its arguments point to (script/memory.h). More than the kernel has written may be noted: it is
 * what was there, and what a replay has there, too.
 */
#include "record.h"

#include "os/os.h" /* core's */
#include "trace.h"

#include <asm/termbits.h>
#include <linux/futex.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SHOWN 64     /* bytes of what the kernel reads that are kept: a message about it shows less */
#define PAGE 4096
#define UNKNOWN_LENGTH 128 /* of what nobody knows the length of */

static uint64_t value(const struct capture *c, unsigned i) { return i < 6 ? c->call.given.sm_args[i] : 0; }

/** Memory that the kernel reads. */
static void add_read(struct capture *c, uint64_t address, uint64_t n)
{
	static char bytes[4096]; /* one rfork, and nobody is switched to here */
	const uint64_t kept = n < SHOWN ? n : SHOWN;
	const uint32_t size = (uint32_t)(sizeof(struct piece) + ((kept + 7) & ~7ull));

	if (c->used + size <= CAPTURE_ROOM && !copyin(c->pieces + c->used + sizeof(struct piece), address, kept)) {
		*(struct piece *)(c->pieces + c->used) = (struct piece){.pc_address = address, .pc_length = (uint32_t)kept, .pc_what = PIECE_IN};
		c->used += size;
	}
	for (uint64_t done = 0; done < n;) {
		const uint64_t piece = n - done < sizeof(bytes) ? n - done : sizeof(bytes);

		if (copyin(bytes, address + done, piece))
			return;
		hash_add(&c->hash, bytes, piece);
		done += piece;
	}
}

static void add_path(struct capture *c, uint64_t address)
{
	char path[SHOWN * 4];
	long n = user_string(path, address, sizeof(path));

	if (n < 0)
		n = n == -ENAMETOOLONG ? (long)sizeof(path) - 1 : -1;
	if (n < 0)
		return;
	hash_add(&c->hash, path, (size_t)n);
	if (c->used + sizeof(struct piece) + (size_t)n + 8 > CAPTURE_ROOM)
		return;
	*(struct piece *)(c->pieces + c->used) = (struct piece){.pc_address = address, .pc_length = (uint32_t)n + 1, .pc_what = PIECE_IN};
	c->used += sizeof(struct piece);
	memcpy(c->pieces + c->used, path, (size_t)n);
	c->pieces[c->used + (size_t)n] = 0;
	c->used += ((uint32_t)n + 8) & ~7u;
}

static void add_buffers(struct capture *c, uint64_t iovec, uint64_t count)
{
	struct iovec one;

	for (uint64_t i = 0; i < count && i < BUFFERS_MAX && !copyin(&one, iovec + i * sizeof(one), sizeof(one)); i++)
		add_read(c, (uint64_t)one.iov_base, one.iov_len);
}

static void add_message(struct capture *c, uint64_t address)
{
	struct msghdr header;

	if (copyin(&header, address, sizeof(header)))
		return;
	add_read(c, (uint64_t)header.msg_name, header.msg_name ? header.msg_namelen : 0);
	add_read(c, (uint64_t)header.msg_control, header.msg_control ? header.msg_controllen : 0);
	add_buffers(c, (uint64_t)header.msg_iov, header.msg_iovlen);
}

/** Requests from before there were sizes in their numbers. */
static int64_t old_request(uint32_t request)
{
	switch (request) {
	case TCGETS: return sizeof(struct termios);
	case TIOCGWINSZ: return sizeof(struct winsize);
	case FIONREAD:
	case TIOCGPGRP:
	case TIOCGSID:
	case TIOCOUTQ: return 4;
	case FIOCLEX:
	case FIONCLEX:
	case TIOCSCTTY:
	case TIOCNOTTY: return 0;
	}
	return UNKNOWN_LENGTH;
}

/** Not beyond a page, as there may be nothing. */
static int64_t unknown_length(uint64_t address)
{
	const int64_t left = PAGE - (int64_t)(address % PAGE);

	return left < UNKNOWN_LENGTH ? left : UNKNOWN_LENGTH;
}

static int64_t length_of(struct capture *c, unsigned i)
{
	int64_t length = argument_length(c->call.what, &c->call.given, i);

	if (length == UNKNOWN && c->call.what->args[i].by == BY_ALL)
		length = c->call.given.sm_number == SYS_ioctl ? old_request((uint32_t)value(c, 1)) : c->call.given.sm_number == SYS_fcntl ? 0 : UNKNOWN_LENGTH;
	if (length == UNKNOWN_LENGTH && c->call.what->args[i].by == BY_ALL)
		return unknown_length(value(c, i));
	return length;
}

static void read_argument(struct capture *c, unsigned i)
{
	const struct argument_memory *m = &c->call.what->args[i];

	if (!m->by || !value(c, i))
		return;
	c->lengths[i] = length_of(c, i);
	if (!(m->ways & MEMORY_IN) || (m->by == BY_ALL && m->ways & MEMORY_OUT))
		return;
	switch (m->by) {
	case BY_PATH: add_path(c, value(c, i)); break;
	case BY_BUFFERS: add_buffers(c, value(c, i), (uint32_t)value(c, i + 1)); break;
	case BY_MESSAGE: add_message(c, value(c, i)); break;
	default:
		if (c->lengths[i] > 0)
			add_read(c, value(c, i), (uint64_t)c->lengths[i]);
	}
}

struct capture *capture_call(struct lwp *lwp, const struct trapframe *tf)
{
	struct traced traced = {.number = tf->tf_number, .values = {tf->tf_rdi, tf->tf_rsi, tf->tf_rdx, tf->tf_r10, tf->tf_r8, tf->tf_r9}};
	const struct call_arguments *what = arguments_of(tf->tf_number);
	struct capture *c = lwp->lwp_record;

	if (!c)
		c = lwp->lwp_record = lwkt_os_alloc(sizeof(*c));
	if (!c)
		return NULL;
	c->call.given = (struct sysmsg){0};
	memset(c->lengths, 0, sizeof(c->lengths));
	hash_begin(&c->hash);
	c->used = 0;
	c->call.given.sm_number = (long)tf->tf_number;
	memcpy(c->call.given.sm_args, traced.values, sizeof(traced.values));
	c->nargs = tf->tf_number == SYS_rt_sigreturn ? 0 : arguments_shown(&traced, what);
	c->call.what = memory_of(tf->tf_number);
	for (unsigned i = 0; c->call.what && i < c->call.what->n; i++)
		read_argument(c, i);
	return c;
}

/* ------------------------------------------------ what the kernel has written */

static void add_written(uint64_t address, uint64_t n)
{
	if (address && n)
		kept_add_read(address, n);
}

static void add_parts(uint64_t iovec, uint64_t count, long result)
{
	uint64_t left = result > 0 ? (uint64_t)result : 0;
	struct iovec one;

	for (uint64_t i = 0; i < count && left && !copyin(&one, iovec + i * sizeof(one), sizeof(one)); i++) {
		const uint64_t piece = left < one.iov_len ? left : one.iov_len;

		add_written((uint64_t)one.iov_base, piece);
		left -= piece;
	}
}

static void written_message(uint64_t address, size_t size, long result)
{
	struct msghdr header;

	if (copyin(&header, address, sizeof(header)))
		return;
	add_written(address, size);
	if (header.msg_name)
		add_written((uint64_t)header.msg_name, header.msg_namelen);
	if (header.msg_control)
		add_written((uint64_t)header.msg_control, header.msg_controllen);
	add_parts((uint64_t)header.msg_iov, header.msg_iovlen, result);
}

static void written_messages(uint64_t address, long result)
{
	const size_t size = (sizeof(struct msghdr) + 4 + 7) & ~7ul; /* struct mmsghdr */
	uint32_t length;

	for (long i = 0; i < result; i++) {
		const uint64_t one = address + (uint64_t)i * size;

		if (!copyin(&length, one + sizeof(struct msghdr), sizeof(length)))
			written_message(one, size, (long)length);
	}
}

/** How much of an argument was written. */
static uint64_t written(const struct capture *c, unsigned i, long result)
{
	const struct argument_memory *m = &c->call.what->args[i];
	uint64_t length = c->lengths[i] > 0 ? (uint64_t)c->lengths[i] : 0, n;
	uint32_t word;

	if (m->by == BY_POINTER && !user_load32((const uint32_t *)value(c, i + 1), &word))
		return word < length ? word : length;
	if (!(m->ways & MEMORY_REPLY) || m->by == BY_POINTER)
		return length;
	n = (uint64_t)result * m->unit + m->head;
	return n < length ? n : length;
}

/** A failed call that writes nevertheless: what is left of the time. */
static bool writes_failing(uint64_t number)
{
	return number == SYS_nanosleep || number == SYS_clock_nanosleep || number == SYS_select || number == SYS_pselect6 || number == SYS_ppoll;
}

uint64_t capture_lock(uint64_t number, const uint64_t *args)
{
	if (number != SYS_futex)
		return 0;
	switch (args[1] & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_TRYLOCK_PI:
	case FUTEX_UNLOCK_PI: return args[0];
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI: return args[4];
	}
	return 0;
}

void capture_written(const struct capture *c, long result)
{
	const uint64_t number = (uint64_t)c->call.given.sm_number;

	add_written(capture_lock(number, (const uint64_t *)c->call.given.sm_args), sizeof(uint32_t));
	if (!c->call.what || (result < 0 && !writes_failing(number)))
		return;
	for (unsigned i = 0; i < c->call.what->n; i++) {
		const struct argument_memory *m = &c->call.what->args[i];

		if (!m->by || !(m->ways & MEMORY_OUT) || !value(c, i))
			continue;
		switch (m->by) {
		case BY_BUFFERS: add_parts(value(c, i), (uint32_t)value(c, i + 1), result); break;
		case BY_MESSAGE: written_message(value(c, i), sizeof(struct msghdr), result); break;
		case BY_MESSAGES: written_messages(value(c, i), result); break;
		default: add_written(value(c, i), written(c, i, result));
		}
	}
}
