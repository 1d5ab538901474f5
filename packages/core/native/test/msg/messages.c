/*
 * messages.c - the life of a message: sent, served, replied to, forwarded, aborted; who owns it when; that exactly one reply comes.
 */
#include "check.h"

static struct lwkt_port servers[3];
static int handled[3];

/* A server adds its number to the result and replies with the error that the request asks for. */
struct request {
	struct lwkt_msg msg;
	int want_error;
	int forward_to; /* < 0: reply here */
	int abort_calls;
};

/* A reply is queued, unless the sender waits for this very message. */
static void reply(lwkt_msg_t msg, int error)
{
	uint32_t queued = msg->ms_reply_port->mp_count + (msg->ms_flags & MSGF_SYNC ? 0 : 1);

	CHECK_EQ(lwkt_replymsg(msg, error), 0);
	CHECK_EQ(msg->ms_reply_port->mp_count, queued);
}

static void serve(void *arg)
{
	long number = (long)arg;
	lwkt_port_t port = &servers[number];
	lwkt_msg_t msg;

	lwkt_initport_thread(port, NULL, "server");
	while ((msg = lwkt_waitport(port, NULL)) != NULL) {
		struct request *request = (struct request *)msg;

		if (request->want_error == ESHUTDOWN)
			break;
		handled[number]++;
		msg->u.ms_result += 1 + number * 10;
		if (request->forward_to >= 0 && request->forward_to != number)
			CHECK_EQ(lwkt_forwardmsg(&servers[request->forward_to], msg), EASYNC);
		else
			reply(msg, request->want_error);
	}
	CHECK_EQ(lwkt_replymsg(msg, 0), 0);
}

static void start_servers(int count)
{
	memset(handled, 0, sizeof(handled));
	for (long i = 0; i < count; i++)
		start(serve, (void *)i, 0);
	run_all();
}

static void stop_servers(int count)
{
	for (int i = 0; i < count; i++) {
		struct request request = {.want_error = ESHUTDOWN, .forward_to = -1};

		lwkt_initmsg(&request.msg, NULL, 0);
		CHECK_EQ(lwkt_domsg(&servers[i], &request.msg), 0);
	}
	run_all();
}

static struct request new_request(int error, int forward_to)
{
	return (struct request){.want_error = error, .forward_to = forward_to};
}

static void ask(void *arg)
{
	struct request request = new_request(0, -1);
	lwkt_port_t own = &lwkt_curthread()->td_msgport;

	(void)arg;
	lwkt_initmsg(&request.msg, NULL, 0);
	CHECK(request.msg.ms_reply_port == own);
	CHECK(lwkt_checkmsg(&request.msg));
	CHECK_EQ(lwkt_domsg(&servers[1], &request.msg), 0);
	CHECK_EQ(request.msg.u.ms_result, 11);
	CHECK_EQ(request.msg.ms_flags & (MSGF_DONE | MSGF_REPLY | MSGF_SYNC | MSGF_QUEUED), MSGF_DONE | MSGF_REPLY | MSGF_SYNC);
	CHECK_EQ(own->mp_count, 0); /* the reply to a SYNC message is not queued */
	request.want_error = ENOENT;
	CHECK_EQ(lwkt_domsg(&servers[0], &request.msg), ENOENT);
	CHECK_EQ(request.msg.ms_error, ENOENT);
	CHECK_EQ(request.msg.u.ms_result, 12);
	request.want_error = 0;
	CHECK_EQ(lwkt_sendmsg(&servers[0], &request.msg), 0);
	CHECK(!lwkt_checkmsg(&request.msg));
	CHECK_EQ(lwkt_waitmsg(&request.msg), 0);
	CHECK_EQ(request.msg.u.ms_result, 13);
	CHECK_EQ(own->mp_count, 0);
	CHECK_EQ(lwkt_waitmsg(&request.msg), 0); /* again: it is done */
}

static void round_trips(void)
{
	start_servers(2);
	for (int i = 0; i < 5; i++)
		start(ask, NULL, 0);
	run_all();
	ask(NULL); /* from thread0 */
	CHECK_EQ(handled[0], 12);
	CHECK_EQ(handled[1], 6);
	stop_servers(2);
}

static void forwarding(void)
{
	struct request request = new_request(EPROTO, 2);
	struct lwkt_port null;

	start_servers(3);
	lwkt_initmsg(&request.msg, NULL, 0);
	CHECK_EQ(lwkt_domsg(&servers[0], &request.msg), EPROTO); /* the last one's reply comes to the first sender */
	CHECK_EQ(request.msg.u.ms_result, 1 + 21);
	CHECK(request.msg.ms_target_port == &servers[2]);
	CHECK_EQ(lwkt_sendmsg(&servers[1], &request.msg), 0);
	CHECK_EQ(lwkt_waitmsg(&request.msg), EPROTO);
	CHECK_EQ(handled[0] + handled[1], 2);
	CHECK_EQ(handled[2], 2);
	stop_servers(3);

	/* To a port that finishes in place. */
	lwkt_initport_replyonly_null(&null);
	lwkt_initport_thread(&servers[0], NULL, NULL);
	lwkt_initmsg(&request.msg, NULL, 0);
	CHECK_EQ(lwkt_sendmsg(&servers[0], &request.msg), 0);
	CHECK_EQ(lwkt_forwardmsg(&null, &request.msg), EINVAL); /* still queued: not the caller's */
	CHECK(lwkt_getport(&servers[0], NULL) == &request.msg);
	CHECK_EQ(lwkt_forwardmsg(&null, &request.msg), EOPNOTSUPP);
	CHECK(lwkt_checkmsg(&request.msg));
	CHECK_EQ(lwkt_waitmsg(&request.msg), EOPNOTSUPP);
	CHECK_EQ(lwkt_forwardmsg(&null, &request.msg), EINVAL); /* done: the sender's again */
}

static void ask_to_abort(lwkt_msg_t msg)
{
	((struct request *)msg)->abort_calls++;
}

/* Serves one message, slowly: it looks whether it was asked to stop. */
static void serve_abortable(void *arg)
{
	struct request *request;

	(void)arg;
	lwkt_initport_thread(&servers[0], NULL, NULL);
	request = (struct request *)lwkt_waitport(&servers[0], NULL);
	while (!request->abort_calls)
		lwkt_yield();
	CHECK_EQ(lwkt_replymsg(&request->msg, EINTR), 0);
}

static void aborting(void)
{
	struct request request = new_request(0, -1);
	lwkt_port_t own = &lwkt_curthread()->td_msgport;

	start(serve_abortable, NULL, 0);
	run_all();
	lwkt_initmsg_abortable(&request.msg, NULL, 0, ask_to_abort);
	CHECK_EQ(lwkt_abortmsg(&request.msg), EALREADY); /* never sent */
	CHECK_EQ(lwkt_sendmsg(&servers[0], &request.msg), 0);
	lwkt_dispatch(100000);
	CHECK(!lwkt_checkmsg(&request.msg));
	CHECK_EQ(lwkt_abortmsg(&request.msg), 0);
	CHECK(!lwkt_checkmsg(&request.msg)); /* aborting does not finish it */
	CHECK_EQ(lwkt_waitmsg(&request.msg), EINTR);
	CHECK_EQ(own->mp_count, 0); /* one reply, no second one */
	CHECK_EQ(lwkt_abortmsg(&request.msg), EALREADY);
	CHECK_EQ(request.abort_calls, 1);
	run_all();

	/* While it is queued, and to a target that takes no notice. */
	lwkt_initport_thread(&servers[0], NULL, NULL);
	lwkt_initmsg_abortable(&request.msg, NULL, 0, ask_to_abort);
	CHECK_EQ(lwkt_sendmsg(&servers[0], &request.msg), 0);
	CHECK_EQ(lwkt_abortmsg(&request.msg), 0);
	CHECK_EQ(lwkt_abortmsg(&request.msg), 0);
	CHECK(lwkt_getport(&servers[0], NULL) == &request.msg);
	CHECK_EQ(lwkt_replymsg(&request.msg, 0), 0);
	CHECK_EQ(lwkt_waitmsg(&request.msg), 0);

	lwkt_initmsg(&request.msg, NULL, 0);
	CHECK_EQ(lwkt_sendmsg(&servers[0], &request.msg), 0);
	CHECK_EQ(lwkt_abortmsg(&request.msg), EOPNOTSUPP);
	CHECK_EQ(lwkt_replymsg(lwkt_getport(&servers[0], NULL), 0), 0);
	CHECK(lwkt_getport(own, NULL) == &request.msg);
	CHECK_EQ(request.abort_calls, 3);
}

/* The message stays under way after EDEADLK, and can be waited for later. */
static void thread0_in_a_dead_end(void)
{
	struct request request = new_request(0, -1);
	lwkt_msg_t msg;

	lwkt_initport_thread(&servers[0], start(serve, NULL, TDF_NOSTART), NULL);
	lwkt_initmsg(&request.msg, NULL, 0);
	CHECK_EQ(lwkt_domsg(&servers[0], &request.msg), EDEADLK);
	CHECK(!lwkt_checkmsg(&request.msg));
	CHECK_EQ(lwkt_waitmsg(&request.msg), EDEADLK);
	msg = servers[0].mp_getport(&servers[0]);
	CHECK(msg == &request.msg);
	CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	CHECK_EQ(lwkt_waitmsg(msg), 0);
	CHECK_EQ(lwkt_schedule(servers[0].mp_td), 0);
	run_all();
	stop_servers(1);
}

static void own_sysmsg(void *arg)
{
	lwkt_thread_t self = lwkt_curthread();
	lwkt_msg_t msg = &self->td_sysmsg.sm_msg;

	(void)arg;
	CHECK(lwkt_checkmsg(msg));
	CHECK(msg->ms_reply_port == &self->td_msgport);
}

static void built_in(void)
{
	own_sysmsg(NULL);
	start(own_sysmsg, NULL, 0);
	run_all();
}

int main(void)
{
	ON_RFORK(round_trips);
	ON_RFORK(forwarding);
	ON_RFORK(aborting);
	ON_RFORK(thread0_in_a_dead_end);
	ON_RFORK(built_in);
	return 0;
}
