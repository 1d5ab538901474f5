/*
 * queues.c - calls of the storm that wait for messages, semaphores, a FIFO's other end, a completion; and threads that wait for nothing.
 */
#include "storm.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---------------------------------------------------------------- System V, POSIX queues, FIFOs, io_uring */

static bool make_messages(struct kind *self)
{
	self->fds[0] = msgget(IPC_PRIVATE, 0600);
	return self->fds[0] >= 0;
}

static void send_message(struct kind *self)
{
	struct { long type; char byte; } message = {1 + (long)choose(3), BYTE};

	has_fed(self, msgsnd(self->fds[0], &message, 1, IPC_NOWAIT));
}

static int receive_message(struct kind *self, bool for_long)
{
	struct { long type; char byte; } message = {0, 0};
	long n = msgrcv(self->fds[0], &message, 1, for_long ? 0 : -2, 0);

	return has_read(self, n, message.byte);
}

static long messages_left(struct kind *self)
{
	struct msqid_ds about = {0};

	msgctl(self->fds[0], IPC_STAT, &about);
	msgctl(self->fds[0], IPC_RMID, NULL);
	return (long)about.msg_qnum;
}

static bool make_semop(struct kind *self)
{
	self->fds[0] = semget(IPC_PRIVATE, 1, 0600);
	return self->fds[0] >= 0;
}

static void raise_semop(struct kind *self)
{
	struct sembuf up = {0, 1, IPC_NOWAIT};

	has_fed(self, semop(self->fds[0], &up, 1));
}

static int lower_semop(struct kind *self, bool for_long)
{
	struct sembuf down = {0, -1, 0};
	struct timespec ts = how_long(for_long);
	int error = has_got(self, for_long ? semop(self->fds[0], &down, 1) : semtimedop(self->fds[0], &down, 1, &ts));

	return error == EAGAIN && !for_long ? 0 : error;
}

static long semop_left(struct kind *self)
{
	int n = semctl(self->fds[0], 0, GETVAL);

	semctl(self->fds[0], 0, IPC_RMID);
	return n;
}

static bool make_mq(struct kind *self)
{
	struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 1};
	char name[40];

	sprintf(name, "/libcr-storm-%d", getpid());
	self->fds[0] = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
	if (self->fds[0] < 0)
		return false;
	self->fds[1] = mq_open(name, O_RDWR | O_NONBLOCK);
	return !mq_unlink(name);
}

static void send_mq(struct kind *self)
{
	const char byte = BYTE;

	has_fed(self, mq_send(self->fds[1], &byte, 1, choose(3)));
}

static int receive_mq(struct kind *self, bool for_long)
{
	struct timespec ts = until(CLOCK_REALTIME, for_long);
	char byte = 0;
	long n = choose(2) ? mq_receive(self->fds[0], &byte, 1, NULL) : mq_timedreceive(self->fds[0], &byte, 1, NULL, &ts);

	return n < 0 && errno == ETIMEDOUT && !for_long ? 0 : has_read(self, n, byte);
}

static long mq_left(struct kind *self)
{
	struct mq_attr attr = {0};

	mq_getattr(self->fds[0], &attr);
	return attr.mq_curmsgs;
}

static bool make_fifo(struct kind *self)
{
	(void)self;
	return !mkfifo("fifo", 0600);
}

static int open_fifo(struct kind *self, bool for_long)
{
	int fd = open("fifo", O_RDONLY);

	(void)self;
	(void)for_long;
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void open_other_end(struct kind *self)
{
	int fd = open("fifo", O_WRONLY | O_NONBLOCK);

	(void)self;
	if (fd >= 0)
		close(fd);
}

static struct ring {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail;
	struct io_uring_sqe *sqes;
} ring;

static bool make_ring(struct kind *self)
{
	struct io_uring_params params = {0};
	char *sq, *cq;

	ring.fd = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (ring.fd < 0)
		return false;
	sq = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * 16, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.sqes = mmap(NULL, params.sq_entries * sizeof(*ring.sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring.sqes == MAP_FAILED)
		return false;
	ring.sq_tail = (uint32_t *)(sq + params.sq_off.tail);
	ring.sq_mask = (uint32_t *)(sq + params.sq_off.ring_mask);
	ring.sq_array = (uint32_t *)(sq + params.sq_off.array);
	ring.cq_head = (uint32_t *)(cq + params.cq_off.head);
	ring.cq_tail = (uint32_t *)(cq + params.cq_off.tail);
	self->fds[0] = ring.fd;
	return true;
}

/** One operation that does nothing: whoever waits for a completion sees it. The one of the last time is taken away before. */
static void complete_one(struct kind *self)
{
	uint32_t tail = *ring.sq_tail, at = tail & *ring.sq_mask;

	(void)self;
	__atomic_store_n(ring.cq_head, __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
	if (choose(4))
		return;
	memset(&ring.sqes[at], 0, sizeof(ring.sqes[at]));
	ring.sqes[at].opcode = IORING_OP_NOP;
	ring.sq_array[at] = at;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0);
}

static int enter_ring(struct kind *self, bool for_long)
{
	long n = syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);

	(void)for_long;
	if (n > 0)
		complain(self->name, 0, n);
	return n < 0 ? errno : 0;
}

/* ---------------------------------------------------------------- no wait at all */

static int yield(struct kind *self, bool for_long)
{
	(void)self;
	for (unsigned i = for_long ? 50 : 5; i; i--)
		sched_yield();
	return 0;
}

static int compute_a_while(struct kind *self, bool for_long)
{
	(void)self;
	compute(for_long && !choose(16) ? 200 : 1);
	return 0;
}

struct kind storm_queues[] = {
	{"msgrcv", ENDS, make_messages, receive_message, send_message, messages_left},
	{"semop", BREAKS, make_semop, lower_semop, raise_semop, semop_left},
	{"mq_receive", GOES_ON, make_mq, receive_mq, send_mq, mq_left},
	{"open of a FIFO", GOES_ON, make_fifo, open_fifo, open_other_end, NULL},
	{"io_uring_enter", BREAKS, make_ring, enter_ring, complete_one, NULL},
	{"sched_yield", NEVER, NULL, yield, NULL, NULL},
	{"computing", NEVER, NULL, compute_a_while, NULL, NULL},
	{0},
};
