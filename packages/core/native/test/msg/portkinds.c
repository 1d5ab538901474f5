/*
 * portkinds.c - the ports that threads of all rforks take from, spin and serialised: what ports.c asks of thread ports, and then several rforks that
 * send, get, wait, reply, forward and abort at once. Also under ThreadSanitizer.
 */
#include <stdatomic.h>

#define RFORKS 3
#include "rforks.h"

#define ALL (RFORKS + 1)

/* The kind that is being tested; a serialised port's serializer. */
static bool serialised;
static struct lwkt_serialize serializer;

static void init_port(lwkt_port_t port, const char *name)
{
	if (serialised)
		lwkt_initport_serialize(port, &serializer, name);
	else
		lwkt_initport_spin(port, name);
}

static void enter(void)
{
	if (serialised)
		CHECK_EQ(lwkt_serialize_enter(&serializer), 0);
}

static void leave(void)
{
	if (serialised)
		CHECK_EQ(lwkt_serialize_exit(&serializer), 0);
}

/** Gets as one may, in whatever way the kind wants it. */
static lwkt_msg_t get(lwkt_port_t port)
{
	lwkt_msg_t msg;

	enter();
	msg = lwkt_getport(port, NULL);
	leave();
	return msg;
}

static lwkt_msg_t wait_for_any(lwkt_port_t port)
{
	lwkt_msg_t msg;
	int error;

	enter();
	msg = lwkt_waitport(port, &error);
	CHECK_EQ(error, 0);
	CHECK(msg != NULL);
	leave(); /* it is in again after a wait */
	return msg;
}

static int wait_for(lwkt_msg_t msg)
{
	int error;

	enter();
	error = lwkt_waitmsg(msg);
	leave();
	return error;
}

static void join_all(lwkt_thread_t *tds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
}

/* ---------------------------------------------------------------- on one rfork */

static struct lwkt_port service, replies;

static void queueing(void)
{
	struct lwkt_msg msgs[4];
	int error = -1;

	init_port(&service, "a port's name that is longer than it may ever be");
	init_port(&replies, NULL);
	CHECK_EQ(strlen(service.mp_name), LWKT_NAME_MAX - 1);
	CHECK(service.mp_td == NULL);
	CHECK(get(&service) == NULL);
	for (int i = 0; i < 4; i++) {
		lwkt_initmsg(&msgs[i], &replies, i >= 2 ? MSGF_PRIORITY : 0);
		CHECK_EQ(lwkt_sendmsg(&service, &msgs[i]), 0);
		CHECK(msgs[i].ms_flags & MSGF_QUEUED);
		CHECK(!lwkt_checkmsg(&msgs[i]));
		CHECK_EQ(lwkt_sendmsg(&service, &msgs[i]), EBUSY);
		CHECK_EQ(lwkt_replymsg(&msgs[i], 0), EBUSY);
		CHECK_EQ(service.mp_count, i + 1);
	}
	for (int i = 0; i < 4; i++) {
		lwkt_msg_t msg = wait_for_any(&service);

		CHECK(msg == &msgs[(i + 2) % 4]); /* both of priority, then both ordinary ones */
		CHECK_EQ(msg->ms_flags & (MSGF_QUEUED | MSGF_DONE), 0);
		CHECK_EQ(service.mp_count, 3 - i);
		CHECK_EQ(lwkt_replymsg(msg, i), 0);
		CHECK_EQ(lwkt_replymsg(msg, i), EALREADY);
	}
	CHECK_EQ(wait_for(&msgs[0]), 2); /* out of order */
	CHECK_EQ(wait_for(&msgs[0]), 2);
	CHECK_EQ(replies.mp_count, 3);
	for (int i = 0; i < 3; i++)
		CHECK(get(&replies) == &msgs[i < 2 ? i + 2 : 1]);
	CHECK_EQ(replies.mp_count, 0);
	enter();
	CHECK(lwkt_waitport(&replies, &error) == NULL); /* nobody could send anything */
	CHECK_EQ(error, EDEADLK);
	leave(); /* it has the serializer again */
	CHECK(get(&replies) == NULL);
	lwkt_crit_enter();
	enter();
	CHECK(lwkt_waitport(&replies, &error) == NULL);
	CHECK_EQ(error, EDEADLK);
	leave();
	CHECK_EQ(lwkt_crit_exit(), 0);
	lwkt_initmsg(&msgs[0], &replies, 0);
	CHECK_EQ(wait_for(&msgs[0]), EINVAL); /* never sent */
	CHECK_EQ(lwkt_sendmsg(&service, &msgs[0]), 0);
	CHECK_EQ(wait_for(&msgs[0]), EDEADLK);
	CHECK(get(&service) == &msgs[0]);
	CHECK_EQ(lwkt_replymsg(&msgs[0], EIO), 0);
	CHECK_EQ(wait_for(&msgs[0]), EIO); /* the wait in vain has left nothing behind */
}

static void serve_some(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		lwkt_msg_t msg = wait_for_any(&service);

		msg->u.ms_result++;
		CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	}
}

static void waits_too(void *arg)
{
	enter();
	CHECK_EQ(lwkt_waitmsg(arg), EBUSY);
	leave();
}

static void waits_first(void *arg)
{
	CHECK_EQ(wait_for(arg), ENOENT);
}

static void waiting(void)
{
	struct lwkt_msg msg, second;
	lwkt_thread_t td;

	init_port(&service, "service");
	init_port(&replies, "replies");
	td = start(serve_some, (void *)3L, 0);
	run_all();
	CHECK_EQ(strcmp(td->td_wmesg, "waitport"), 0);
	CHECK_EQ(lwkt_schedule(td), 0); /* woken for nothing, it waits on */
	run_all();
	lwkt_initmsg(&msg, &replies, 0);
	lwkt_initmsg(&second, &replies, 0);
	enter();
	CHECK_EQ(lwkt_domsg(&service, &msg), 0); /* thread0 runs the server meanwhile, which enters and leaves */
	leave();
	CHECK_EQ(msg.u.ms_result, 1);
	CHECK_EQ(replies.mp_count, 0); /* not queued: it is what was waited for */
	CHECK_EQ(lwkt_sendmsg(&service, &msg), 0);
	CHECK_EQ(lwkt_sendmsg(&service, &second), 0);
	CHECK_EQ(wait_for(&second), 0);
	CHECK_EQ(replies.mp_count, 1);
	CHECK(get(&replies) == &msg);
	run_all();
	/* One thread waits for a message at a time. */
	CHECK_EQ(lwkt_sendmsg(&service, &msg), 0);
	start(waits_first, &msg, 0);
	start(waits_too, &msg, 0);
	run_all();
	CHECK_EQ(lwkt_replymsg(get(&service), ENOENT), 0);
	run_all();
}

static void not_in_the_serializer(void)
{
	struct lwkt_msg msg;
	int error = 0;

	if (!serialised)
		return;
	init_port(&service, NULL);
	lwkt_initmsg(&msg, &service, 0);
	CHECK(lwkt_getport(&service, &error) == NULL);
	CHECK_EQ(error, EPERM);
	error = 0;
	CHECK(lwkt_waitport(&service, &error) == NULL);
	CHECK_EQ(error, EPERM);
	CHECK_EQ(lwkt_domsg(&service, &msg), EPERM); /* it could not wait for the reply */
	CHECK(lwkt_checkmsg(&msg));
	CHECK_EQ(lwkt_sendmsg(&service, &msg), 0); /* anybody may */
	CHECK_EQ(lwkt_waitmsg(&msg), EPERM);
	CHECK(get(&service) == &msg);
	CHECK_EQ(lwkt_replymsg(&msg, 0), 0);
	CHECK_EQ(wait_for(&msg), 0);
}

/* ---------------------------------------------------------------- several rforks send and take */

#define SENDERS (2 * ALL)
#define TAKERS (3 * ALL)
#define ROUNDS (60 * SCALE)

struct request {
	struct lwkt_msg msg;
	unsigned sender, number, takes; /* takes: by whoever has it, plainly */
};

static struct request requests[SENDERS][4], stop[TAKERS];
static unsigned inside; /* guarded by the serializer alone */

static void takes(void *arg)
{
	(void)arg;
	for (;;) {
		struct request *request;

		enter();
		if (serialised) {
			CHECK_EQ(inside++, 0);
			inside--;
		}
		request = (struct request *)lwkt_waitport(&service, NULL);
		CHECK(request != NULL);
		leave();
		if (request->sender == SENDERS) {
			CHECK_EQ(lwkt_replymsg(&request->msg, 0), 0);
			return;
		}
		request->takes++;
		request->msg.u.ms_result = (int64_t)request->number * 3;
		CHECK_EQ(lwkt_replymsg(&request->msg, request->number % 100), 0);
	}
}

static void check_reply(struct request *request, unsigned number)
{
	CHECK_EQ(request->number, number);
	CHECK_EQ(request->takes, 1);
	CHECK_EQ(request->msg.u.ms_result, number * 3);
	CHECK_EQ(request->msg.ms_error, number % 100);
	CHECK_EQ(request->msg.ms_flags & (MSGF_DONE | MSGF_REPLY | MSGF_QUEUED), MSGF_DONE | MSGF_REPLY);
	request->takes = 0;
}

/* Four at a time, waited for in an order of its own; every third round one and at once. The reply port is one for all senders. */
static void sends(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned count = n % 3 == 0 ? 1 : 4;

		for (unsigned i = 0; i < count; i++) {
			struct request *request = &requests[me][i];

			request->sender = me;
			request->number = n + i;
			if (count == 1) {
				enter();
				CHECK_EQ(lwkt_domsg(&service, &request->msg), request->number % 100);
				leave();
			} else {
				CHECK_EQ(lwkt_sendmsg(&service, &request->msg), 0);
			}
		}
		for (unsigned i = count; i-- > 0;) {
			if (count > 1)
				CHECK_EQ(wait_for(&requests[me][i].msg), (n + i) % 100);
			check_reply(&requests[me][i], n + i);
		}
	}
}

static void at_once(void)
{
	lwkt_thread_t takers[TAKERS], senders[SENDERS];

	begin_rforks();
	init_port(&service, "service");
	init_port(&replies, "replies");
	for (unsigned i = 0; i < TAKERS; i++)
		takers[i] = start_on(rforks[i % ALL], takes, NULL, TDF_JOINABLE);
	for (unsigned i = 0; i < SENDERS; i++) {
		for (unsigned k = 0; k < 4; k++)
			lwkt_initmsg(&requests[i][k].msg, &replies, 0);
		senders[i] = start_on(rforks[i % ALL], sends, (void *)(uintptr_t)i, TDF_JOINABLE);
	}
	join_all(senders, SENDERS);
	for (unsigned i = 0; i < TAKERS; i++) {
		stop[i].sender = SENDERS;
		lwkt_initmsg(&stop[i].msg, &replies, 0);
		CHECK_EQ(lwkt_sendmsg(&service, &stop[i].msg), 0);
	}
	join_all(takers, TAKERS);
	for (unsigned i = 0; i < TAKERS; i++) /* each of the replies to one who asks for any */
		CHECK_EQ(((struct request *)wait_for_any(&replies))->sender, SENDERS);
	CHECK_EQ(service.mp_count, 0);
	CHECK_EQ(replies.mp_count, 0);
	end_rforks();
}

/* Replies that nobody waits for one by one: several threads take them off, each once. */
static _Atomic unsigned collected;

static void collects(void *arg)
{
	for (unsigned n = 0; n < ROUNDS; n++) {
		struct request *request = (struct request *)wait_for_any(&replies);

		check_reply(request, request->number);
		request->number++;
		atomic_fetch_add(&collected, 1);
		CHECK_EQ(lwkt_sendmsg(&service, &request->msg), 0); /* it goes round: somebody else gets it next */
	}
	(void)arg;
}

static void round_and_round(void)
{
	lwkt_thread_t takers[TAKERS], collectors[SENDERS];

	begin_rforks();
	init_port(&service, "service");
	init_port(&replies, "replies");
	atomic_store(&collected, 0);
	for (unsigned i = 0; i < TAKERS; i++)
		takers[i] = start_on(rforks[i % ALL], takes, NULL, TDF_JOINABLE);
	for (unsigned i = 0; i < SENDERS; i++) {
		collectors[i] = start_on(rforks[i % ALL], collects, NULL, TDF_JOINABLE);
		lwkt_initmsg(&requests[i][0].msg, &replies, 0);
		requests[i][0].sender = i;
		requests[i][0].number = 0;
		requests[i][0].takes = 0;
		CHECK_EQ(lwkt_sendmsg(&service, &requests[i][0].msg), 0);
	}
	join_all(collectors, SENDERS);
	CHECK_EQ(atomic_load(&collected), SENDERS * ROUNDS);
	for (unsigned i = 0, n = 0; i < SENDERS; i++) {
		struct request *request = (struct request *)wait_for_any(&replies);

		check_reply(request, request->number);
		n += request->number;
		CHECK(i < SENDERS - 1 || n == SENDERS * ROUNDS); /* each send and each reply once */
	}
	for (unsigned i = 0; i < TAKERS; i++) {
		stop[i].sender = SENDERS;
		lwkt_initmsg(&stop[i].msg, &replies, 0);
		CHECK_EQ(lwkt_sendmsg(&service, &stop[i].msg), 0);
	}
	join_all(takers, TAKERS);
	end_rforks();
}

/* ---------------------------------------------------------------- across kinds, and aborted */

static struct lwkt_port thread_port;
static _Atomic bool thread_port_up;
static _Atomic unsigned done_count, aborted_count;

/* Takes from the common port, answers some, and sends the others on to the thread port, or back to the end of its own queue. */
static void forwards(void *arg)
{
	for (;;) {
		struct request *request = (struct request *)wait_for_any(&service);

		if (request->sender == SENDERS) {
			CHECK_EQ(lwkt_replymsg(&request->msg, 0), 0);
			return;
		}
		if (request->takes++ % 3 == 0)
			CHECK_EQ(lwkt_replymsg(&request->msg, 0), 0);
		else
			CHECK_EQ(lwkt_forwardmsg(request->number % 2 ? &thread_port : &service, &request->msg), EASYNC);
	}
	(void)arg;
}

/* The thread port's owner: answers some, sends the others back to the common port. */
static void sends_back(void *arg)
{
	lwkt_initport_thread(&thread_port, NULL, "thread port");
	atomic_store(&thread_port_up, true);
	for (;;) {
		struct request *request = (struct request *)lwkt_waitport(&thread_port, NULL);

		if (request->sender == SENDERS) {
			CHECK_EQ(lwkt_replymsg(&request->msg, 0), 0);
			return;
		}
		if (request->takes++ % 3 == 0)
			CHECK_EQ(lwkt_replymsg(&request->msg, 0), 0);
		else
			CHECK_EQ(lwkt_forwardmsg(&service, &request->msg), EASYNC);
	}
	(void)arg;
}

/* Sends, aborts or not, and waits: at its own port (thread) or at the common one. The memory goes each time. */
static void sends_and_aborts(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	bool own = me % 2;

	for (unsigned n = 0; n < ROUNDS; n++) {
		struct request *request = malloc(sizeof(*request));
		int error;

		CHECK(request != NULL);
		lwkt_initmsg_abortable(&request->msg, own ? NULL : &replies, 0, lwkt_default_abortmsg);
		request->sender = me;
		request->number = n;
		request->takes = n % 5;
		CHECK_EQ(lwkt_sendmsg(n % 4 == 3 ? &thread_port : &service, &request->msg), 0);
		if (n % 7 == 0)
			lwkt_yield();
		if (n % 3) {
			error = lwkt_abortmsg(&request->msg);
			CHECK(error == 0 || error == EALREADY);
			if (n % 3 == 2)
				lwkt_abortmsg(&request->msg); /* once more changes nothing */
		}
		error = own ? lwkt_waitmsg(&request->msg) : wait_for(&request->msg);
		CHECK(error == 0 || (error == ECONNABORTED && n % 3));
		atomic_fetch_add(error ? &aborted_count : &done_count, 1);
		free(request);
	}
}

static void abort_one(void)
{
	struct lwkt_msg msg, synchronous;

	init_port(&service, "service");
	init_port(&replies, "replies");
	for (int own = 0; own < 2; own++) {
		lwkt_initmsg_abortable(&msg, own ? NULL : &replies, 0, lwkt_default_abortmsg);
		CHECK_EQ(lwkt_sendmsg(&service, &msg), 0);
		CHECK_EQ(lwkt_abortmsg(&msg), 0);
		CHECK_EQ(service.mp_count, 0);
		CHECK(get(&service) == NULL);
		CHECK(lwkt_checkmsg(&msg));
		CHECK_EQ(wait_for(&msg), ECONNABORTED);
		CHECK_EQ(lwkt_sendmsg(&service, &msg), 0);
		CHECK(get(&service) == &msg);
		CHECK_EQ(lwkt_abortmsg(&msg), 0); /* it is being served: left alone */
		CHECK(!lwkt_checkmsg(&msg));
		CHECK_EQ(lwkt_replymsg(&msg, 0), 0);
		CHECK_EQ(lwkt_abortmsg(&msg), EALREADY);
		CHECK_EQ(wait_for(&msg), 0);
	}
	lwkt_initmsg(&synchronous, &replies, 0);
	CHECK_EQ(lwkt_sendmsg(&service, &synchronous), 0);
	CHECK_EQ(lwkt_abortmsg(&synchronous), EOPNOTSUPP);
	CHECK(get(&service) == &synchronous);
	CHECK_EQ(lwkt_replymsg(&synchronous, 0), 0);
	CHECK_EQ(wait_for(&synchronous), 0);
}

/* The service may withdraw what may be dropped, unserved; a thread port's, too. */
static void dropping(void)
{
	struct lwkt_port own;
	struct lwkt_msg msg, other;

	init_port(&service, "service");
	lwkt_initport_thread(&own, NULL, "own");
	for (int i = 0; i < 2; i++) {
		lwkt_port_t port = i ? &own : &service;

		lwkt_initmsg(&msg, NULL, MSGF_DROPABLE);
		lwkt_initmsg(&other, NULL, 0);
		enter();
		CHECK_EQ(lwkt_dropmsg(&msg), ENOENT); /* never sent */
		CHECK_EQ(lwkt_domsg(port, &msg), i ? EDEADLK : EINVAL);
		CHECK(lwkt_checkmsg(&msg));
		CHECK_EQ(lwkt_sendmsg(port, &other), 0);
		CHECK_EQ(lwkt_sendmsg(port, &msg), 0);
		CHECK_EQ(lwkt_waitmsg(&msg), EINVAL);
		CHECK_EQ(lwkt_dropmsg(&other), EINVAL);
		CHECK_EQ(lwkt_dropmsg(&msg), 0);
		CHECK_EQ(msg.ms_flags & (MSGF_DONE | MSGF_REPLY | MSGF_QUEUED), MSGF_DONE);
		CHECK_EQ(lwkt_dropmsg(&msg), ENOENT);
		CHECK_EQ(port->mp_count, 1);
		CHECK_EQ(lwkt_sendmsg(port, &msg), 0); /* it is as if it had never been sent */
		CHECK(lwkt_getport(port, NULL) == &other);
		CHECK(lwkt_getport(port, NULL) == &msg);
		CHECK_EQ(lwkt_dropmsg(&msg), ENOENT); /* it is being served */
		CHECK_EQ(lwkt_replymsg(&msg, EIO), 0);
		CHECK(lwkt_getport(&lwkt_curthread()->td_msgport, NULL) == &msg);
		CHECK_EQ(msg.ms_error, EIO);
		CHECK_EQ(lwkt_replymsg(&other, 0), 0);
		CHECK_EQ(lwkt_waitmsg(&other), 0);
		CHECK_EQ(lwkt_sendmsg(port, &msg), 0);
		leave();
		if (serialised && !i)
			CHECK_EQ(lwkt_dropmsg(&msg), EPERM);
		enter();
		CHECK_EQ(lwkt_dropmsg(&msg), 0);
		leave();
	}
}

static void across_kinds(void)
{
	lwkt_thread_t takers[ALL + 1], senders[SENDERS];

	begin_rforks();
	init_port(&service, "service");
	init_port(&replies, "replies");
	atomic_store(&thread_port_up, false);
	atomic_store(&done_count, 0);
	atomic_store(&aborted_count, 0);
	takers[ALL] = start_on(rforks[0], sends_back, NULL, TDF_JOINABLE);
	while (!atomic_load(&thread_port_up))
		usleep(1000);
	for (unsigned i = 0; i < ALL; i++)
		takers[i] = start_on(rforks[i], forwards, NULL, TDF_JOINABLE);
	for (unsigned i = 0; i < SENDERS; i++)
		senders[i] = start_on(rforks[(i / 2) % ALL], sends_and_aborts, (void *)(uintptr_t)i, TDF_JOINABLE);
	join_all(senders, SENDERS);
	for (unsigned i = 0; i <= ALL; i++) {
		stop[i].sender = SENDERS;
		lwkt_initmsg(&stop[i].msg, &replies, 0);
		CHECK_EQ(lwkt_sendmsg(i < ALL ? &service : &thread_port, &stop[i].msg), 0);
	}
	join_all(takers, ALL + 1);
	CHECK_EQ(atomic_load(&done_count) + atomic_load(&aborted_count), SENDERS * ROUNDS);
	CHECK(atomic_load(&done_count) >= SENDERS * ROUNDS / 3);
	printf("    %u done, %u aborted\n", atomic_load(&done_count), atomic_load(&aborted_count));
	end_rforks();
}

int main(void)
{
	for (int kind = 0; kind < 2; kind++) {
		serialised = kind == 1;
		topic(serialised ? "serialised ports:" : "spin ports:");
		lwkt_serialize_init(&serializer);
		ON_RFORK(queueing);
		ON_RFORK(waiting);
		ON_RFORK(not_in_the_serializer);
		ON_RFORK(at_once);
		ON_RFORK(round_and_round);
		ON_RFORK(abort_one);
		ON_RFORK(dropping);
		ON_RFORK(across_kinds);
	}
	return 0;
}
