/*
 * misuse.c - every error number that lwkt.h documents, function by function; that a refused call has changed nothing; and, in a debug build, what is
 * said about it on stderr: one line each, and nothing where there is no misuse.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>

#include "said.h"

static void nothing(void *arg)
{
	(void)arg;
}

static void sleeps(void *arg)
{
	(void)arg;
	lwkt_block("test");
}

static void the_cpu(void)
{
	lwkt_thread_t td;

	topic("the_cpu");
	CHECK_EQ(lwkt_cpu_init(), 0);
	REFUSED(lwkt_cpu_init(), EEXIST, "is an rfork already|lwkt_is_rfork");
	td = start(sleeps, NULL, 0);
	REFUSED(lwkt_cpu_fini(), EBUSY, "1 userthreads are unfinished");
	run_all();
	REFUSED(lwkt_cpu_fini(), EBUSY, "1 userthreads are unfinished");
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	CHECK_EQ(lwkt_cpu_fini(), 0);
	CHECK_EQ(lwkt_cpu_init(), 0); /* and again */
	CHECK_EQ(lwkt_cpu_fini(), 0);
}

static void fini_on_a_thread(void *arg)
{
	(void)arg;
	REFUSED(lwkt_cpu_fini(), EPERM, "on its thread0");
	REFUSED(lwkt_cpu_init(), EEXIST, "is an rfork already|lwkt_is_rfork");
}

static void creation(void)
{
	const struct lwkt_create_args bad[] = {
		{.priority = -1, .stack_size = LWKT_STACK_MIN - 1},
		{.priority = -1, .stack_size = 1},
		{.priority = -1, .stack_size = (size_t)LWKT_STACK_MAX + 1},
		{.priority = -1, .stack_size = SIZE_MAX},
		{.priority = -2},
		{.priority = TDPRI_MAX + 1},
		{.priority = -1, .flags = TDF_RUNNING},
		{.priority = -1, .flags = TDF_JOINABLE | TDF_EXITING},
		{.priority = -1, .flags = TDF_THREAD0},
		{.priority = -1, .flags = 0x80000000u},
	};
	const struct lwkt_resident resident = {.main = the_cpu};
	const struct lwkt_create_args two_switches = {.priority = -1, .resident = &resident, .swtch = lwkt_light_switch};
	lwkt_thread_t td = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED(lwkt_create(nothing, NULL, &td, &bad[i]), EINVAL, "");
	REFUSED(lwkt_create(nothing, NULL, &td, &two_switches), EINVAL, "by the runtime's swtch");
	CHECK(td == NULL);
	CHECK_EQ(stats_now().st_created, 0);
	start(fini_on_a_thread, NULL, 0);
	run_all();
}

static void on_thread0(void)
{
	lwkt_thread_t td0 = lwkt_thread0();

	REFUSED(lwkt_exit(), EPERM, "returning from their function");
	REFUSED(lwkt_block("test"), EDEADLK, "nothing can run|lwkt_create");
	REFUSED(lwkt_schedule(td0), EINVAL, "thread0, which runs when no other can, or has exited");
	REFUSED(lwkt_interrupt(td0), EINVAL, "can't be interrupted, or has exited");
	CHECK_EQ(td0->td_flags, TDF_RUNNING | TDF_THREAD0);
	REFUSED(lwkt_join(td0), EDEADLK, "wait for its own end");
	lwkt_deschedule_self();
	lwkt_yield();
	lwkt_switch();
	CHECK_EQ(lwkt_yield_wanted(), 0);
	CHECK(lwkt_stack_base(td0) == NULL);
	CHECK(lwkt_curthread() == td0);
	CHECK_EQ(lwkt_runnable(), 0);
}

static void exited_threads(void)
{
	lwkt_thread_t td = start(nothing, NULL, TDF_JOINABLE);

	run_all();
	REFUSED(lwkt_schedule(td), EINVAL, "thread0, which runs when no other can, or has exited");
	REFUSED(lwkt_setpri(td, 3), EINVAL, "no priority from 0 to 31, or|has exited");
	REFUSED(lwkt_interrupt(td), EINVAL, "can't be interrupted, or has exited");
	CHECK_EQ(td->td_flags & (TDF_INTR | TDF_RUNQ), 0);
	CHECK_EQ(td->td_pri, TDPRI_KERN);
	REFUSED(lwkt_visit(td, nothing, NULL), EINVAL, "can't be visited");
	CHECK_EQ(lwkt_join(td), 0);
}

static void leaves_critical_sections(void *arg)
{
	(void)arg;
	lwkt_crit_enter();
	lwkt_crit_enter();
	CHECK_EQ(lwkt_crit_exit(), 0);
	CHECK_EQ(lwkt_crit_exit(), 0);
	REFUSED(lwkt_crit_exit(), EPERM, "in no critical section|lwkt_crit_enter");
	CHECK_EQ(lwkt_curthread()->td_critcount, 0);
}

static struct lwkt_token wanted;
static struct lwkt_serialize entered;
static struct lwkt_port asked;
static int ran_inside;

static void runs_inside(void *arg)
{
	(void)arg;
	ran_inside++;
}

static void keeps_both(void *arg)
{
	CHECK_EQ(lwkt_serialize_enter(&entered), 0);
	lwkt_block("until the others have tried");
	CHECK_EQ(lwkt_serialize_exit(&entered), 0);
	CHECK_EQ(lwkt_replymsg(lwkt_getport(arg, NULL), 0), 0);
}

/* Whatever would switch away refuses, and what needs no waiting goes on as ever. */
static void blocks_inside(void *arg)
{
	struct lwkt_tokref ref;
	struct lwkt_msg msg;
	int error = 0;

	CHECK_EQ(lwkt_curthread()->td_critcount, 0); /* it was born at 1 */
	lwkt_crit_enter();
	start(runs_inside, NULL, 0);
	REFUSED(lwkt_block("inside"), EDEADLK, "would block|");
	CHECK(lwkt_curthread()->td_flags & TDF_RUNQ);
	REFUSED(lwkt_switch(), EDEADLK, "inside a critical section|lwkt_crit_exit");
	said_begin();
	CHECK_EQ(lwkt_yield(), EDEADLK);
	said_end();
	said_check(__FILE__, __LINE__, "lwkt_switch()", "inside a critical section"); /* which it calls */
	lwkt_deschedule_self();
	REFUSED(lwkt_switch(), EDEADLK, "inside a critical section|lwkt_crit_exit"); /* it runs on */
	CHECK_EQ(lwkt_schedule(lwkt_curthread()), 0);
	REFUSED(lwkt_join(arg), EDEADLK, "inside a critical section");
	REFUSED(lwkt_serialize_enter(&entered), EDEADLK, "inside a critical section|lwkt_crit_exit");
	CHECK_EQ(lwkt_serialize_try(&entered), EBUSY);
	REFUSED((lwkt_waitport(&lwkt_curthread()->td_msgport, &error), error), EDEADLK, "port|inside a critical section");
	lwkt_initmsg(&msg, NULL, 0);
	said_begin();
	CHECK_EQ(lwkt_domsg(&asked, &msg), EDEADLK);
	said_end();
	said_check(__FILE__, __LINE__, "lwkt_waitmsg()", "message|(asked): |inside a critical section"); /* which it calls */
	CHECK_EQ(lwkt_gettoken(&ref, &wanted), 0); /* nobody has it */
	CHECK_EQ(lwkt_reltoken(&ref), 0);
	CHECK_EQ(ran_inside, 0);
	CHECK_EQ(lwkt_crit_exit(), 0);
	CHECK_EQ(lwkt_schedule(arg), 0);
	CHECK_EQ(lwkt_waitmsg(&msg), 0); /* that one was under way all the time */
	CHECK_EQ(ran_inside, 1);
	CHECK_EQ(lwkt_join(arg), 0);
}

static void critical_sections(void)
{
	lwkt_thread_t td = start(keeps_both, &asked, TDF_JOINABLE | TDF_NOSTART);

	CHECK_EQ(td->td_critcount, 1);
	lwkt_token_init(&wanted, "wanted");
	lwkt_serialize_init(&entered);
	lwkt_initport_thread(&asked, td, "asked");
	ran_inside = 0;
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	start(blocks_inside, td, 0);
	run_all();
	lwkt_crit_enter(); /* thread0 in one runs nobody */
	start(runs_inside, NULL, 0);
	CHECK_EQ(lwkt_dispatch(0), 0);
	REFUSED(lwkt_switch(), EDEADLK, "inside a critical section|lwkt_crit_exit");
	CHECK_EQ(ran_inside, 1);
	CHECK_EQ(lwkt_crit_exit(), 0);
	run_all();
	CHECK_EQ(ran_inside, 2);
}

static void visits_wrongly(void *arg)
{
	REFUSED(lwkt_visit(lwkt_curthread(), nothing, NULL), EINVAL, "can't be visited");
	REFUSED(lwkt_visit(lwkt_thread0(), nothing, NULL), EINVAL, "can't be visited");
	REFUSED(lwkt_visit(arg, nothing, NULL), EINVAL, "can't be visited"); /* has not run yet */
}

static void visits_on_a_visit(void *arg)
{
	REFUSED(lwkt_visit(arg, nothing, NULL), EINVAL, "can't be visited");
}

static void priorities_and_visits(void)
{
	lwkt_thread_t td = start(sleeps, NULL, 0), other;

	REFUSED(lwkt_setpri(td, -1), EINVAL, "no priority from 0 to 31, or|has exited");
	REFUSED(lwkt_setpri(td, TDPRI_MAX + 1), EINVAL, "no priority from 0 to 31, or|has exited");
	CHECK_EQ(td->td_pri, TDPRI_KERN);
	leaves_critical_sections(NULL);
	start(leaves_critical_sections, NULL, 0);
	start_at(20, visits_wrongly, td, 0);
	run_all();
	other = start(sleeps, NULL, 0);
	run_all();
	CHECK_EQ(lwkt_visit(td, visits_on_a_visit, other), 0);
	CHECK_EQ(lwkt_schedule(td), 0);
	CHECK_EQ(lwkt_schedule(other), 0);
	run_all();
}

static void messages(void)
{
	struct lwkt_port port;
	struct lwkt_msg msg, other;

	lwkt_initport_thread(&port, NULL, NULL);
	lwkt_initmsg(&msg, NULL, 0);
	REFUSED(lwkt_waitmsg(&msg), EINVAL, "was never sent"); /* never sent */
	REFUSED(lwkt_forwardmsg(&port, &msg), EINVAL, "take it from its port first");
	REFUSED(lwkt_replymsg(&msg, 0), EALREADY, "has been replied to, or was never sent");
	CHECK_EQ(lwkt_abortmsg(&msg), EALREADY);
	REFUSED(lwkt_domsg(&port, &msg), EDEADLK, "is the thread's own|lwkt_sendmsg"); /* one's own port */
	CHECK(lwkt_checkmsg(&msg));

	CHECK_EQ(lwkt_sendmsg(&port, &msg), 0);
	REFUSED(lwkt_sendmsg(&port, &msg), EBUSY, "is under way, or its reply has not been taken yet|lwkt_waitmsg");
	REFUSED(lwkt_replymsg(&msg, 0), EBUSY, "message|is queued on its port still|lwkt_getport"); /* nobody has taken it */
	REFUSED(lwkt_abortmsg(&msg), EOPNOTSUPP, "lwkt_initmsg_abortable");
	REFUSED(lwkt_dropmsg(&msg), EINVAL, "not to be dropped|MSGF_DROPABLE");
	CHECK_EQ(port.mp_count, 1);
	CHECK(lwkt_getport(&port, NULL) == &msg);
	REFUSED(lwkt_sendmsg(&port, &msg), EBUSY, "is under way, or its reply has not been taken yet|lwkt_waitmsg"); /* taken, not replied to */
	REFUSED(lwkt_replymsg(&msg, -1), EINVAL, "neither 0 nor a positive errno");
	REFUSED(lwkt_replymsg(&msg, EASYNC), EINVAL, "neither 0 nor a positive errno");
	CHECK(!lwkt_checkmsg(&msg));
	CHECK_EQ(lwkt_replymsg(&msg, EIO), 0);
	REFUSED(lwkt_replymsg(&msg, 0), EALREADY, "has been replied to, or was never sent");
	CHECK_EQ(msg.ms_error, EIO);
	/* The reply is still on the reply port. */
	REFUSED(lwkt_sendmsg(&port, &msg), EBUSY, "is under way, or its reply has not been taken yet|lwkt_waitmsg");
	CHECK_EQ(lwkt_waitmsg(&msg), EIO);
	CHECK_EQ(lwkt_sendmsg(&port, &msg), 0);
	lwkt_initmsg(&other, NULL, 0);
	CHECK_EQ(lwkt_sendmsg(&port, &other), 0);
	CHECK(lwkt_getport(&port, NULL) == &msg);
	CHECK_EQ(lwkt_replymsg(&msg, 0), 0);
	CHECK(lwkt_getport(&port, NULL) == &other);
	CHECK_EQ(lwkt_replymsg(&other, 0), 0);
	CHECK_EQ(lwkt_waitmsg(&msg), 0);
	CHECK_EQ(lwkt_waitmsg(&other), 0);
	CHECK_EQ(lwkt_waitmsg(&other), 0);
}

/* ---- what belongs to others */

static struct lwkt_msg dropped;

static void takes_from_anothers(void *arg)
{
	int error = 0;

	REFUSED((lwkt_getport(arg, &error), error), EPERM, "port|\"thread0's\": |another thread's, which alone takes from it|lwkt_initport_spin");
	REFUSED((lwkt_waitport(arg, &error), error), EPERM, "port|\"thread0's\": |another thread's");
	REFUSED(lwkt_join(lwkt_curthread()), EDEADLK, "wait for its own end");
	REFUSED(lwkt_join(lwkt_thread0()), EINVAL, "can't be joined|TDF_JOINABLE");
	lwkt_initmsg(&dropped, NULL, MSGF_DROPABLE);
	REFUSED(lwkt_domsg(arg, &dropped), EINVAL, "message|may be dropped without a reply|lwkt_sendmsg");
	CHECK_EQ(lwkt_sendmsg(arg, &dropped), 0);
	REFUSED(lwkt_waitmsg(&dropped), EINVAL, "may be dropped without a reply|lwkt_checkmsg");
	REFUSED(lwkt_dropmsg(&dropped), EPERM, "port|another thread's");
	lwkt_block("until it has been dropped");
	CHECK(lwkt_checkmsg(&dropped));
	REFUSED(lwkt_giveaway(lwkt_curthread()), EINVAL, "can't be given away");
	REFUSED(lwkt_acquire(lwkt_curthread()), EINVAL, "has not been given away");
}

static void ports_of_others(void)
{
	struct lwkt_serialize s;
	struct lwkt_port port;
	struct lwkt_msg msg;
	lwkt_thread_t td;
	int error = 0;

	lwkt_initport_thread(&port, NULL, "thread0's");
	td = start(takes_from_anothers, &port, 0);
	run_all();
	CHECK_EQ(lwkt_dropmsg(&dropped), 0);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	REFUSED((lwkt_waitport(&port, &error), error), EDEADLK, "port|nothing can run");
	lwkt_serialize_init(&s);
	lwkt_initport_serialize(&port, &s, "serialised");
	REFUSED((lwkt_getport(&port, &error), error), EPERM, "\"serialised\": |not in its serializer|lwkt_serialize_enter");
	REFUSED(lwkt_serialize_exit(&s), EPERM, "not in serializer");
	CHECK_EQ(lwkt_serialize_enter(&s), 0);
	REFUSED(lwkt_serialize_enter(&s), EDEADLK, "does not nest");
	REFUSED(lwkt_serialize_try(&s), EDEADLK, "does not nest");
	said_begin();
	CHECK(lwkt_getport(&port, &error) == NULL);
	CHECK_EQ(error, 0);
	CHECK_EQ(lwkt_serialize_exit(&s), 0);
	said_end();
	said_check(__FILE__, __LINE__, "lwkt_getport()", NULL); /* an empty port is no misuse */
	lwkt_initport_replyonly_null(&port);
	lwkt_initmsg(&msg, NULL, 0);
	said_begin();
	CHECK_EQ(lwkt_domsg(&port, &msg), EOPNOTSUPP);
	said_end();
	said_check(__FILE__, __LINE__, "lwkt_sendmsg or lwkt_domsg", "only takes replies");
}

/* ---- tokens, and the end of a thread */

static void ends_with_a_token(void *arg)
{
	static struct lwkt_tokref ref, other; /* not on a stack that is about to go */

	CHECK_EQ(lwkt_gettoken(&ref, arg), 0);
	CHECK_EQ(lwkt_gettoken(&other, arg), 0);
	if (lwkt_curthread()->td_pri == TDPRI_USER)
		lwkt_exit();
}

static void ends_inside(void *arg)
{
	(void)arg;
	lwkt_crit_enter();
}

static void takes_two(void *arg)
{
	struct lwkt_tokref ref, other;

	CHECK_EQ(lwkt_trytoken(&ref, arg), 0);
	CHECK_EQ(lwkt_gettoken(&other, arg), 0);
	REFUSED(lwkt_reltoken(&ref), EPERM, "took token \"kept\" last|reverse order");
	CHECK_EQ(lwkt_reltoken(&other), 0);
	CHECK_EQ(lwkt_reltoken(&ref), 0);
	REFUSED(lwkt_reltoken(&ref), EPERM, "took token \"none\" last");
}

static void in_function(void *arg)
{
	struct lwkt_cpusync cs;
	struct lwkt_tokref ref;

	lwkt_cpusync_init(&cs, NULL, 0, nothing, NULL);
	REFUSED(lwkt_gettoken(&ref, arg), EDEADLK, "token \"kept\": |in an IPI function");
	REFUSED(lwkt_block("test"), EDEADLK, "in an IPI function");
	REFUSED(lwkt_setcpu_self(NULL), EDEADLK, "in an IPI function");
	REFUSED(lwkt_cpusync_interlock(&cs), EDEADLK, "in an IPI function");
}

/** Runs all: td, whose end says this. */
static void said_thread_ends(lwkt_thread_t td, const char *parts)
{
	said_begin();
	run_all();
	said_end();
	said_check(__FILE__, __LINE__, "lwkt_exit()", parts);
	CHECK_EQ(lwkt_join(td), 0);
}

static void endings(void)
{
	struct lwkt_cpusync cs;
	struct lwkt_tokref ref;
	struct lwkt_token kept;

	lwkt_token_init(&kept, "kept");
	for (int pri = TDPRI_USER; pri <= TDPRI_KERN; pri += TDPRI_KERN - TDPRI_USER) { /* by lwkt_exit, and by returning */
		lwkt_thread_t td = start_at(pri, ends_with_a_token, &kept, TDF_JOINABLE);

		said_thread_ends(td, "ends with token \"kept\" held, which is dropped|lwkt_reltoken");
		start(takes_two, &kept, 0);
		run_all();
	}
	said_thread_ends(start(ends_inside, NULL, TDF_JOINABLE), "ends inside a critical section|lwkt_crit_exit");
	said_thread_ends(start(nothing, NULL, TDF_JOINABLE), NULL);
	REFUSED(lwkt_gettoken(&ref, &kept), EPERM, "token \"kept\": thread0 takes none");
	REFUSED(lwkt_trytoken(&ref, &kept), EPERM, "token \"kept\": thread0 takes none");
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), in_function, &kept, NULL), 0);
	lwkt_cpusync_init(&cs, NULL, 0, nothing, NULL);
	REFUSED(lwkt_cpusync_deinterlock(&cs), EPERM, "has not interlocked this");
	CHECK_EQ(lwkt_cpusync_interlock(&cs), 0);
	REFUSED(lwkt_cpusync_interlock(&cs), EDEADLK, "lwkt_cpusync_deinterlock first");
	CHECK_EQ(lwkt_cpusync_deinterlock(&cs), 0);
	REFUSED(lwkt_rfork_join(lwkt_mycpu()), EINVAL, "was not made by lwkt_rfork_create");
}

static struct lwkt_port service;

static void sends_with_anothers_port(void *arg)
{
	struct lwkt_msg msg;

	(void)arg;
	lwkt_initmsg(&msg, &lwkt_thread0()->td_msgport, 0);
	REFUSED(lwkt_domsg(&service, &msg), EPERM, "would go to port|another thread's, which alone takes from it");
	CHECK(lwkt_checkmsg(&msg));
	CHECK(msg.ms_target_port == NULL);
	CHECK_EQ(service.mp_count, 0);
	lwkt_initmsg(&msg, NULL, 0);
	msg.ms_flags &= ~MSGF_DONE; /* as if under way */
	REFUSED(lwkt_domsg(&service, &msg), EBUSY, "is under way");
}

static void reply_ports_of_others(void)
{
	lwkt_initport_thread(&service, NULL, NULL);
	start(sends_with_anothers_port, NULL, 0);
	run_all();
}

/* ---- another rfork's threads */

static lwkt_thread_t foreign;
static sem_t made, done;

static void *another_rfork(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_cpu_init(), 0);
	foreign = start(sleeps, NULL, 0);
	run_all();
	sem_post(&made);
	while (sem_wait(&done) != 0)
		;
	CHECK_EQ(lwkt_runnable(), 0); /* nothing has happened to it */
	CHECK_EQ(foreign->td_flags & TDF_INTR, 0);
	CHECK_EQ(lwkt_schedule(foreign), 0);
	run_all();
	CHECK_EQ(lwkt_cpu_fini(), 0);
	return NULL;
}

static void threads_of_others(void)
{
	pthread_t thread;

	CHECK_EQ(sem_init(&made, 0, 0), 0);
	CHECK_EQ(sem_init(&done, 0, 0), 0);
	CHECK_EQ(pthread_create(&thread, NULL, another_rfork, NULL), 0);
	while (sem_wait(&made) != 0)
		;
	CHECK_EQ(lwkt_schedule(foreign), 0); /* by IPI message */
	REFUSED(lwkt_setpri(foreign, 1), EPERM, "is another rfork's");
	REFUSED(lwkt_visit(foreign, nothing, NULL), EPERM, "is another rfork's");
	sem_post(&done);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

int main(void)
{
	CHECK(EASYNC > 4095);
	the_cpu();
	ON_RFORK(creation);
	ON_RFORK(on_thread0);
	ON_RFORK(exited_threads);
	ON_RFORK(critical_sections);
	ON_RFORK(priorities_and_visits);
	ON_RFORK(messages);
	ON_RFORK(ports_of_others);
	ON_RFORK(endings);
	ON_RFORK(reply_ports_of_others);
	ON_RFORK(threads_of_others);
	return 0;
}
