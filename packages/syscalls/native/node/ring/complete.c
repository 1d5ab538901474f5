/*
 * complete.c - the ring at the event loop: before each poll what has been filled is submitted, after each poll what has completed goes
 * to JavaScript, all of it in one call.
 *
 * An idle loop is woken by an eventfd that the kernel writes to, and not by the ring's own descriptor, which epoll does not report while a
 * completion waits for this thread's part of it (docs/decisions/0009-ring.md). The kernel is asked to write only while the loop sleeps
 * (IORING_CQ_EVENTFD_DISABLED): a busy loop looks at the queue anyway, and need not read an eventfd. While there are completions in the queue
 * nothing asks the kernel for more.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"

/** Tells JavaScript of what is ready, and takes back what needs nothing more. */
static void deliver(struct ring *ring)
{
	struct environment *environment = ring->environment;

	while (ring->ready != NULL && !environment->closing) {
		struct ring_op *list = ring->ready, *op, *next;
		int count = 0;

		/* A batch; JavaScript may begin and give up operations meanwhile, but numbers are free again only afterwards. */
		for (op = list; op != NULL && count < COMPLETIONS_AT_ONCE; op = op->next) {
			if (op->abandoned) {
				op->state = OP_REPORTED;
				continue;
			}
			environment->completions[2 * count] = op->slot + 1;
			environment->completions[2 * count + 1] = (double)ring_result(op);
			count++;
			op->state = OP_REPORTED;
			ring_waiting(ring, op, -1);
		}
		ring->ready = op;
		if (op == NULL)
			ring->ready_end = &ring->ready;
		struct ring_op *end = op;
		/* What has data to be fetched lives on until ring_finish or ring_abandon; it must not be looked at after the call. */
		struct ring_op *spent = NULL;
		for (op = list; op != end; op = next) {
			next = op->next;
			if (op->abandoned || !(op->has_call || op->buffer >= 0)) {
				op->next = spent;
				spent = op;
			}
		}
		if (count > 0)
			environment_call(environment, environment->on_completions, count, 0);
		for (op = spent; op != NULL; op = next) {
			next = op->next;
			op_free(ring, op);
		}
	}
}

/** Whether the kernel writes to the eventfd. */
static void wakeup(struct ring *ring, int on)
{
	if (ring->wakes == on)
		return;
	ring->wakes = on;
	__atomic_store_n(ring->queue.cq_flags, on ? 0 : IORING_CQ_EVENTFD_DISABLED, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void on_idle(uv_idle_t *handle) { (void)handle; }

static void on_prepare(uv_prepare_t *handle)
{
	struct ring *ring = handle->data;

	ring_flush(ring, 1);
	ring_reap(ring);
	if (ring->ready != NULL) {
		deliver(ring);
		ring_flush(ring, 0); /* what JavaScript has begun meanwhile */
	}
	if (ring->given > 0 && uv_backend_timeout(ring->environment->loop) != 0) {
		wakeup(ring, 1);
		if (ring_queue_has_come(&ring->queue)) /* before it was on */
			uv_idle_start(&ring->idle, on_idle);
	}
	if (ring->ready != NULL || ring_queue_filled(&ring->queue)) /* the latter: the kernel had no memory for it */
		uv_idle_start(&ring->idle, on_idle);
}

static void on_check(uv_check_t *handle)
{
	struct ring *ring = handle->data;

	wakeup(ring, 0);
	uv_idle_stop(&ring->idle);
	if (ring->given > 0)
		ring_reap(ring);
	deliver(ring);
}

/** What it means is seen at the check that follows. */
static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct ring *ring = handle->data;
	uint64_t count;

	(void)!read(ring->eventfd, &count, sizeof count);
	(void)status;
	(void)events;
}

void ring_waiting(struct ring *ring, const struct ring_op *op, int by)
{
	unsigned before = ring->waiting;

	if (op->background)
		return;
	ring->waiting += (unsigned)by;
	if (before == 0 && ring->waiting > 0)
		uv_ref((uv_handle_t *)&ring->poll);
	else if (before > 0 && ring->waiting == 0)
		uv_unref((uv_handle_t *)&ring->poll);
}

int ring_loop_init(struct ring *ring)
{
	uv_loop_t *loop = ring->environment->loop;

	ring->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ring->eventfd < 0)
		return -errno;
	int error = 0;
	if (syscall(SYS_io_uring_register, ring->queue.fd, IORING_REGISTER_EVENTFD, &ring->eventfd, 1) < 0)
		error = -errno;
	if (!error)
		error = uv_poll_init(loop, &ring->poll, ring->eventfd);
	if (error) {
		close(ring->eventfd);
		return error;
	}
	ring->wakes = 1;
	wakeup(ring, 0);
	uv_prepare_init(loop, &ring->prepare);
	uv_check_init(loop, &ring->check);
	uv_idle_init(loop, &ring->idle);
	ring->poll.data = ring->prepare.data = ring->check.data = ring->idle.data = ring;
	ring->environment->open_handles++;
	uv_poll_start(&ring->poll, UV_READABLE, on_readable);
	uv_prepare_start(&ring->prepare, on_prepare);
	uv_check_start(&ring->check, on_check);
	uv_unref((uv_handle_t *)&ring->poll);
	uv_unref((uv_handle_t *)&ring->prepare);
	uv_unref((uv_handle_t *)&ring->check);
	uv_unref((uv_handle_t *)&ring->idle);
	return 0;
}

/* One after the other, so that one field tells when the last is closed. */
static void on_poll_closed(uv_handle_t *handle)
{
	struct ring *ring = handle->data;
	struct environment *environment = ring->environment;

	close(ring->eventfd);
	ring_free(ring);
	environment_handle_closed(environment);
}

static void on_idle_closed(uv_handle_t *handle)
{
	uv_close((uv_handle_t *)&((struct ring *)handle->data)->poll, on_poll_closed);
}

static void on_check_closed(uv_handle_t *handle)
{
	uv_close((uv_handle_t *)&((struct ring *)handle->data)->idle, on_idle_closed);
}

static void on_prepare_closed(uv_handle_t *handle)
{
	uv_close((uv_handle_t *)&((struct ring *)handle->data)->check, on_check_closed);
}

void ring_loop_close(struct ring *ring) { uv_close((uv_handle_t *)&ring->prepare, on_prepare_closed); }
