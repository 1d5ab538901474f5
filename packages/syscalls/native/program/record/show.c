/*
 * show.c - which descriptors are the program's stdout and stderr, or copies of them: what is written there is shown by a replay, which has no other files. Looked at alike while
 * recording and replaying.
 */
#include "record.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define KNOWN SHOWN_DESCRIPTORS
#define WRITER_PATIENCE 2000 /* times 50 us */
#define PATIENCE 25000 /* times 200 us */
#define LITTLE_PATIENCE 250

static uint8_t shown[KNOWN] = {[1] = 1, [2] = 2}; /* 1: it is stdout; 2: stderr */

bool shown_is_output(uint64_t fd) { return (uint32_t)fd < KNOWN && shown[(uint32_t)fd]; }

static void copy(uint64_t from, long to)
{
	if (to >= 0 && to < KNOWN)
		shown[to] = (uint32_t)from < KNOWN ? shown[(uint32_t)from] : 0;
}

void shown_call(const struct trapframe *tf, long result)
{
	if (result < 0)
		return;
	switch (tf->tf_number) {
	case SYS_close:
		copy(KNOWN, (long)(uint32_t)tf->tf_rdi);
		break;
	case SYS_close_range:
		for (uint64_t fd = (uint32_t)tf->tf_rdi; !tf->tf_rdx && fd <= (uint32_t)tf->tf_rsi && fd < KNOWN; fd++)
			shown[fd] = 0;
		break;
	case SYS_fcntl:
		if (tf->tf_rsi != F_DUPFD && tf->tf_rsi != F_DUPFD_CLOEXEC)
			break;
		copy(tf->tf_rdi, result);
		break;
	case SYS_dup:
	case SYS_dup2:
	case SYS_dup3:
		copy(tf->tf_rdi, result);
	}
}

static void put(int fd, uint64_t address, uint64_t n)
{
	while (n) {
		const long done = kernel_call(SYS_write, fd, address, n);

		if (done == -EAGAIN || done == -EINTR)
			continue;
		if (done <= 0)
			return;
		address += (uint64_t)done;
		n -= (uint64_t)done;
	}
}

static void put_buffers(int fd, uint64_t iovec, uint64_t count, uint64_t left)
{
	struct iovec one;

	for (uint64_t i = 0; i < count && left && !copyin(&one, iovec + i * sizeof(one), sizeof(one)); i++) {
		const uint64_t n = left < one.iov_len ? left : one.iov_len;

		put(fd, (uint64_t)one.iov_base, n);
		left -= n;
	}
}

void shown_write(const struct trapframe *tf, long result)
{
	const int fd = shown_is_output(tf->tf_rdi) ? shown[(uint32_t)tf->tf_rdi] : 0;
	struct msghdr header;

	if (!fd || result <= 0)
		return;
	switch (tf->tf_number) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_sendto: put(fd, tf->tf_rsi, (uint64_t)result); break;
	case SYS_writev: put_buffers(fd, tf->tf_rsi, (uint32_t)tf->tf_rdx, (uint64_t)result); break;
	case SYS_sendmsg:
		if (!copyin(&header, tf->tf_rsi, sizeof(header)))
			put_buffers(fd, (uint64_t)header.msg_iov, header.msg_iovlen, (uint64_t)result);
	}
}

uint32_t shown_word(void)
{
	return (uint32_t)(shown[0] | shown[1] << 2 | shown[2] << 4);
}

void shown_begin(uint32_t word)
{
	for (unsigned fd = 0; fd < KNOWN; fd++)
		shown[fd] = fd < 3 ? word >> 2 * fd & 3 : 0;
}

void shown_put_aside(uint8_t *aside)
{
	memcpy(aside, shown, sizeof(shown));
}

void shown_again(const uint8_t *aside)
{
	memcpy(shown, aside, sizeof(shown));
}

/** The place of an event's write among those of all processes; false: it is none. */
static bool place_of(const struct record *event, uint64_t *place)
{
	for (const struct piece *p = record_piece(event, NULL); p; p = record_piece(event, p))
		if (p->pc_what & PIECE_SHOWN) {
			*place = p->pc_address;
			return true;
		}
	return false;
}

bool shown_begin_write(const struct lwp *lwp)
{
	const struct timespec moment = {.tv_nsec = 50000};
	const uint32_t me = (uint32_t)lwp->lwp_proc->p_pid;

	for (unsigned turns = 0; turns < WRITER_PATIENCE; turns++) {
		uint32_t writer = 0;

		if (__atomic_compare_exchange_n(&log_head->rh_writer, &writer, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		if (writer == me) /* another lwp's waits: the others are not held up by this one */
			return false;
		kernel_call(SYS_nanosleep, &moment, NULL);
	}
	__atomic_store_n(&log_head->rh_writer, me, __ATOMIC_SEQ_CST); /* it waits for a reader, or was killed */
	return true;
}

void shown_end_write(const struct lwp *lwp)
{
	uint32_t me = (uint32_t)lwp->lwp_proc->p_pid;

	__atomic_compare_exchange_n(&log_head->rh_writer, &me, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void shown_wait(const struct record *event)
{
	const struct timespec moment = {.tv_nsec = 200000};
	uint64_t place, now;
	unsigned long turns = 0;

	if (!place_of(event, &place))
		return;
	while ((now = __atomic_load_n(&log_head->rh_shown, __ATOMIC_SEQ_CST)) < place) {
		/* who was to write has ended otherwise than it did, and has said so: it is not waited for as long once more */
		if (turns++ > (log_head->rh_replay ? LITTLE_PATIENCE : PATIENCE)) {
			__atomic_fetch_or(&log_head->rh_replay, REPLAY_LATE, __ATOMIC_SEQ_CST);
			__atomic_store_n(&log_head->rh_shown, place, __ATOMIC_SEQ_CST);
			break;
		}
		kernel_call(SYS_nanosleep, &moment, NULL);
	}
}

void shown_written(const struct record *event)
{
	uint64_t place;

	if (place_of(event, &place) && __atomic_load_n(&log_head->rh_shown, __ATOMIC_SEQ_CST) <= place)
		__atomic_store_n(&log_head->rh_shown, place + 1, __ATOMIC_SEQ_CST);
}
