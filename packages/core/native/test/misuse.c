/*
 * misuse.c - every error number that lwkt.h documents, function by function; and that a refused call has changed nothing.
 */
#include <pthread.h>
#include <semaphore.h>

#include "check.h"

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
	CHECK_EQ(lwkt_cpu_init(), EEXIST);
	td = start(sleeps, NULL, 0);
	CHECK_EQ(lwkt_cpu_fini(), EBUSY);
	run_all();
	CHECK_EQ(lwkt_cpu_fini(), EBUSY);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	CHECK_EQ(lwkt_cpu_fini(), 0);
	CHECK_EQ(lwkt_cpu_init(), 0); /* and again */
	CHECK_EQ(lwkt_cpu_fini(), 0);
}

static void fini_on_a_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_cpu_fini(), EPERM);
	CHECK_EQ(lwkt_cpu_init(), EEXIST);
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
		{.priority = -1, .flags = TDF_TLS | TDF_EXITING},
		{.priority = -1, .flags = TDF_THREAD0},
		{.priority = -1, .flags = 0x80000000u},
	};
	lwkt_thread_t td = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(lwkt_create(nothing, NULL, &td, &bad[i]), EINVAL);
	CHECK(td == NULL);
	CHECK_EQ(stats_now().st_created, 0);
	start(fini_on_a_thread, NULL, 0);
	run_all();
}

static void on_thread0(void)
{
	lwkt_thread_t td0 = lwkt_thread0();

	CHECK_EQ(lwkt_exit(), EPERM);
	CHECK_EQ(lwkt_block("test"), EDEADLK);
	CHECK_EQ(lwkt_schedule(td0), EINVAL);
	CHECK_EQ(lwkt_interrupt(td0), EINVAL);
	CHECK_EQ(td0->td_flags, TDF_RUNNING | TDF_THREAD0);
	CHECK_EQ(lwkt_join(td0), EDEADLK);
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
	CHECK_EQ(lwkt_schedule(td), EINVAL);
	CHECK_EQ(lwkt_setpri(td, 3), EINVAL);
	CHECK_EQ(lwkt_interrupt(td), EINVAL);
	CHECK_EQ(td->td_flags & (TDF_INTR | TDF_RUNQ), 0);
	CHECK_EQ(td->td_pri, TDPRI_KERN);
	CHECK_EQ(lwkt_visit(td, nothing, NULL), EINVAL);
	CHECK_EQ(lwkt_join(td), 0);
}

static void leaves_critical_sections(void *arg)
{
	(void)arg;
	lwkt_crit_enter();
	lwkt_crit_enter();
	CHECK_EQ(lwkt_crit_exit(), 0);
	CHECK_EQ(lwkt_crit_exit(), 0);
	CHECK_EQ(lwkt_crit_exit(), EPERM);
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
	CHECK_EQ(lwkt_block("inside"), EDEADLK);
	CHECK(lwkt_curthread()->td_flags & TDF_RUNQ);
	CHECK_EQ(lwkt_switch(), EDEADLK);
	CHECK_EQ(lwkt_yield(), EDEADLK);
	lwkt_deschedule_self();
	CHECK_EQ(lwkt_switch(), EDEADLK); /* it runs on */
	CHECK_EQ(lwkt_schedule(lwkt_curthread()), 0);
	CHECK_EQ(lwkt_join(arg), EDEADLK);
	CHECK_EQ(lwkt_serialize_enter(&entered), EDEADLK);
	CHECK_EQ(lwkt_serialize_try(&entered), EBUSY);
	CHECK(lwkt_waitport(&lwkt_curthread()->td_msgport, &error) == NULL);
	CHECK_EQ(error, EDEADLK);
	lwkt_initmsg(&msg, NULL, 0);
	CHECK_EQ(lwkt_domsg(&asked, &msg), EDEADLK);
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
	CHECK_EQ(lwkt_switch(), EDEADLK);
	CHECK_EQ(ran_inside, 1);
	CHECK_EQ(lwkt_crit_exit(), 0);
	run_all();
	CHECK_EQ(ran_inside, 2);
}

static void visits_wrongly(void *arg)
{
	CHECK_EQ(lwkt_visit(lwkt_curthread(), nothing, NULL), EINVAL);
	CHECK_EQ(lwkt_visit(lwkt_thread0(), nothing, NULL), EINVAL);
	CHECK_EQ(lwkt_visit(arg, nothing, NULL), EINVAL); /* has not run yet */
}

static void visits_on_a_visit(void *arg)
{
	CHECK_EQ(lwkt_visit(arg, nothing, NULL), EINVAL);
}

static void priorities_and_visits(void)
{
	lwkt_thread_t td = start(sleeps, NULL, 0), other;

	CHECK_EQ(lwkt_setpri(td, -1), EINVAL);
	CHECK_EQ(lwkt_setpri(td, TDPRI_MAX + 1), EINVAL);
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
	CHECK_EQ(lwkt_waitmsg(&msg), EINVAL); /* never sent */
	CHECK_EQ(lwkt_forwardmsg(&port, &msg), EINVAL);
	CHECK_EQ(lwkt_replymsg(&msg, 0), EALREADY);
	CHECK_EQ(lwkt_abortmsg(&msg), EALREADY);
	CHECK_EQ(lwkt_domsg(&port, &msg), EDEADLK); /* one's own port */
	CHECK(lwkt_checkmsg(&msg));

	CHECK_EQ(lwkt_sendmsg(&port, &msg), 0);
	CHECK_EQ(lwkt_sendmsg(&port, &msg), EBUSY);
	CHECK_EQ(lwkt_replymsg(&msg, 0), EBUSY); /* nobody has taken it */
	CHECK_EQ(lwkt_abortmsg(&msg), EOPNOTSUPP);
	CHECK_EQ(port.mp_count, 1);
	CHECK(lwkt_getport(&port, NULL) == &msg);
	CHECK_EQ(lwkt_sendmsg(&port, &msg), EBUSY); /* taken, not replied to */
	CHECK_EQ(lwkt_replymsg(&msg, -1), EINVAL);
	CHECK_EQ(lwkt_replymsg(&msg, EASYNC), EINVAL);
	CHECK(!lwkt_checkmsg(&msg));
	CHECK_EQ(lwkt_replymsg(&msg, EIO), 0);
	CHECK_EQ(lwkt_replymsg(&msg, 0), EALREADY);
	CHECK_EQ(msg.ms_error, EIO);
	CHECK_EQ(lwkt_sendmsg(&port, &msg), EBUSY); /* the reply is still on the reply port */
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

static struct lwkt_port service;

static void sends_with_anothers_port(void *arg)
{
	struct lwkt_msg msg;

	(void)arg;
	lwkt_initmsg(&msg, &lwkt_thread0()->td_msgport, 0);
	CHECK_EQ(lwkt_domsg(&service, &msg), EPERM);
	CHECK(lwkt_checkmsg(&msg));
	CHECK(msg.ms_target_port == NULL);
	CHECK_EQ(service.mp_count, 0);
	lwkt_initmsg(&msg, NULL, 0);
	msg.ms_flags &= ~MSGF_DONE; /* as if under way */
	CHECK_EQ(lwkt_domsg(&service, &msg), EBUSY);
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
	CHECK_EQ(lwkt_setpri(foreign, 1), EPERM);
	CHECK_EQ(lwkt_interrupt(foreign), EPERM);
	CHECK_EQ(lwkt_visit(foreign, nothing, NULL), EPERM);
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
	ON_RFORK(reply_ports_of_others);
	ON_RFORK(threads_of_others);
	return 0;
}
