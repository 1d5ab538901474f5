/*
 * cpus.c - several rforks that have to do with each other: IPI messages, threads created, scheduled and joined elsewhere, messages
 * to ports of others, aborts, and the end of an rfork while others send to it. Also under ThreadSanitizer.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#define RFORKS 4
#include "rforks.h"
#include "internal.h"

/* ---------------------------------------------------------------- IPI messages */

struct count {
	globaldata_t where;
	unsigned next; /* only `where` touches it */
};

struct step {
	struct count *count;
	unsigned number;
};

static void ordered(void *arg)
{
	struct step *step = arg;

	CHECK(lwkt_mycpu() == step->count->where);
	CHECK_EQ(step->count->next, step->number);
	step->count->next++;
}

static void in_order(void)
{
	enum { N = 2000 }; /* several times the ring */
	static struct step steps[RFORKS][N];
	struct count counts[RFORKS];
	uint64_t seq = 0;

	begin_rforks();
	for (unsigned i = 0; i < RFORKS; i++)
		counts[i] = (struct count){rforks[i], 0};
	for (unsigned n = 0; n < N; n++)
		for (unsigned i = 0; i < RFORKS; i++) {
			steps[i][n] = (struct step){&counts[i], n};
			if (n % 7)
				CHECK_EQ(lwkt_send_ipiq_passive(rforks[i], ordered, &steps[i][n], &seq), 0);
			else
				CHECK_EQ(lwkt_send_ipiq(rforks[i], ordered, &steps[i][n], &seq), 0);
			CHECK_EQ(seq, n + 1);
		}
	for (unsigned i = 0; i < RFORKS; i++) {
		CHECK_EQ(lwkt_wait_ipiq(rforks[i], N), 0);
		CHECK_EQ(counts[i].next, N);
	}
	end_rforks();
}

static void to_oneself_done(void *arg)
{
	++*(int *)arg;
	CHECK_EQ(lwkt_block("in an IPI function"), EDEADLK);
	lwkt_switch(); /* does nothing */
}

static void to_oneself(void)
{
	int done = 0;
	uint64_t seq = 1;

	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), to_oneself_done, &done, &seq), 0);
	CHECK_EQ(done, 1);
	CHECK_EQ(seq, 0);
	CHECK_EQ(lwkt_wait_ipiq(lwkt_mycpu(), seq), 0);
}

/* An rfork's area is another's afterwards, with what was announced in it too late: by a number that has never sent anything to that one. */
static void marks(void *arg) { *(int *)arg = 1; }

static void announced_too_late(void)
{
	struct shared *own = &lwkt_mycpu()->gd_shared;
	uint64_t seq;
	int marked = 0;

	for (unsigned word = 0; word < sizeof(own->sources) / sizeof(*own->sources); word++)
		atomic_fetch_or(&own->sources[word], 1ull << 63);
	atomic_store(&own->pending, 1);
	lwkt_process_ipiq();
	CHECK_EQ(atomic_load(&own->pending), 0);
	begin_rforks();
	CHECK_EQ(lwkt_send_ipiq(rforks[0], marks, &marked, &seq), 0);
	CHECK_EQ(lwkt_wait_ipiq(rforks[0], seq), 0); /* which looks into all rings that ever had something */
	CHECK_EQ(marked, 1);
	end_rforks();
}

/* Everybody fills everybody else's ring at the same time, and each function sends one more. */
struct flood {
	unsigned from, left; /* left: functions that are still to run; the sender's */
};

static struct flood floods[RFORKS];

static void came_home(void *arg)
{
	struct flood *flood = arg;

	CHECK(lwkt_mycpu() == rforks[flood->from]);
	flood->left--;
}

static void bounce(void *arg)
{
	struct flood *flood = arg;

	CHECK_EQ(lwkt_send_ipiq(rforks[flood->from], came_home, flood, NULL), 0);
}

static void flooder(void *arg)
{
	struct flood *flood = arg;

	for (int n = 0; n < 400 * SCALE; n++)
		for (unsigned i = 0; i < RFORKS; i++)
			if (i != flood->from) {
				flood->left++;
				CHECK_EQ(lwkt_send_ipiq(rforks[i], bounce, flood, NULL), 0);
			}
	while (flood->left)
		lwkt_yield();
}

static void flooded(void)
{
	lwkt_thread_t tds[RFORKS];

	begin_rforks();
	for (unsigned i = 0; i < RFORKS; i++)
		floods[i] = (struct flood){i, 0};
	for (unsigned i = 0; i < RFORKS; i++)
		tds[i] = start_on(rforks[i], flooder, &floods[i], TDF_JOINABLE);
	for (unsigned i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	end_rforks();
	for (unsigned i = 0; i < RFORKS; i++)
		CHECK_EQ(floods[i].left, 0);
}

/* ---------------------------------------------------------------- threads */

static void says_where(void *arg)
{
	globaldata_t *where = arg;

	lwkt_yield();
	*where = lwkt_mycpu();
}

static void joins_all(void *arg)
{
	globaldata_t where[RFORKS * 8];
	lwkt_thread_t tds[RFORKS * 8];

	(void)arg;
	for (int round = 0; round < 20 * SCALE; round++) {
		for (unsigned i = 0; i < RFORKS * 8; i++)
			tds[i] = start_on(rforks[i % RFORKS], says_where, &where[i], TDF_JOINABLE);
		for (unsigned i = 0; i < RFORKS * 8; i++) {
			CHECK_EQ(lwkt_join(tds[i]), 0);
			CHECK(where[i] == rforks[i % RFORKS]);
		}
	}
}

static void created_and_joined(void)
{
	lwkt_thread_t tds[RFORKS + 1];

	begin_rforks();
	joins_all(NULL); /* thread0 waits */
	tds[RFORKS] = start(joins_all, NULL, TDF_JOINABLE);
	for (int i = 0; i < RFORKS; i++)
		tds[i] = start_on(rforks[i], joins_all, NULL, TDF_JOINABLE); /* some of theirs are on their own rfork */
	for (int i = 0; i <= RFORKS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	end_rforks();
}

static void sleeper(void *arg)
{
	_Atomic int *woken = arg;

	CHECK_EQ(lwkt_block("a schedule from elsewhere"), 0);
	atomic_fetch_add(woken, 1);
}

struct look {
	lwkt_thread_t td;
	bool blocked;
};

static void look_whether_blocked(void *arg)
{
	struct look *look = arg;

	look->blocked = look->td->td_wmesg != NULL;
}

static void wait_until_blocked(lwkt_thread_t td, globaldata_t rfork)
{
	struct look look = {td, false};

	while (!look.blocked) {
		uint64_t seq;

		CHECK_EQ(lwkt_send_ipiq(rfork, look_whether_blocked, &look, &seq), 0);
		CHECK_EQ(lwkt_wait_ipiq(rfork, seq), 0);
	}
}

static void scheduled(void)
{
	_Atomic int woken = 0;
	lwkt_thread_t tds[RFORKS];

	begin_rforks();
	for (int i = 0; i < RFORKS; i++)
		tds[i] = start_on(rforks[i], sleeper, &woken, TDF_JOINABLE);
	for (int i = 0; i < RFORKS; i++)
		wait_until_blocked(tds[i], rforks[i]);
	usleep(20000); /* the rforks sleep in the kernel now, as a rule */
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_schedule(tds[i]), 0);
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(atomic_load(&woken), RFORKS);
	end_rforks();
}

static void not_joinable(void)
{
	globaldata_t where;
	_Atomic int woken = 0;
	lwkt_thread_t td;

	begin_rforks();
	td = start_on(rforks[0], sleeper, &woken, TDF_NOSTART);
	CHECK_EQ(lwkt_join(td), EINVAL);
	CHECK_EQ(lwkt_setpri(td, 1), EPERM);
	CHECK_EQ(lwkt_schedule(td), 0);
	while (lwkt_schedule(td) == 0 && !atomic_load(&woken))
		usleep(1000);
	CHECK_EQ(lwkt_rfork_join(lwkt_mycpu()), EINVAL); /* not made by lwkt_rfork_create */
	CHECK_EQ(lwkt_join(start_on(rforks[1], says_where, &where, TDF_JOINABLE)), 0);
	end_rforks();
}

/* ---------------------------------------------------------------- messages */

struct request {
	struct lwkt_msg msg;
	int value;
};

static struct lwkt_port services[RFORKS];
static _Atomic int served_up;

static void serve(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	lwkt_initport_thread(&services[me], NULL, "service");
	atomic_fetch_add(&served_up, 1);
	for (;;) {
		struct request *request = (struct request *)lwkt_waitport(&services[me], NULL);
		int value = request->value;

		if (value > 0 && value % 3 == 0) {
			request->value--;
			CHECK_EQ(lwkt_forwardmsg(&services[(me + 1) % RFORKS], &request->msg), EASYNC);
			continue;
		}
		request->msg.u.ms_result = value * 2;
		CHECK_EQ(lwkt_replymsg(&request->msg, value < 0 ? ECANCELED : 0), 0);
		if (value < 0)
			return;
	}
}

static void ask(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	struct request request;

	lwkt_initmsg(&request.msg, NULL, 0);
	for (int n = 1; n < 300 * SCALE; n++) {
		int sent = n % 3 == 0 ? n - 1 : n;

		request.value = n;
		CHECK_EQ(lwkt_domsg(&services[(me + (unsigned)n) % RFORKS], &request.msg), 0);
		CHECK_EQ(request.msg.u.ms_result, sent * 2);
	}
}

/* Many at once, whose replies are taken in another order than they come in. */
static void ask_many(void *arg)
{
	enum { MANY = 64 };
	unsigned me = (unsigned)(uintptr_t)arg;
	struct request *requests = calloc(MANY, sizeof(*requests));

	for (int round = 0; round < 5 * SCALE; round++) {
		for (int i = 0; i < MANY; i++) {
			lwkt_initmsg(&requests[i].msg, NULL, i % 5 == 0 ? MSGF_PRIORITY : 0);
			requests[i].value = 3 * i + 1;
			CHECK_EQ(lwkt_sendmsg(&services[(me + (unsigned)i) % RFORKS], &requests[i].msg), 0);
		}
		for (int i = MANY - 1; i >= 0; i -= 2)
			CHECK_EQ(lwkt_waitmsg(&requests[i].msg), 0);
		for (int i = 0; i < MANY / 2; i++) {
			struct request *reply = (struct request *)lwkt_waitport(&lwkt_curthread()->td_msgport, NULL);

			CHECK_EQ((reply - requests) % 2, 0);
			CHECK_EQ(reply->msg.u.ms_result, reply->value * 2);
			CHECK_EQ(reply->msg.ms_flags & (MSGF_DONE | MSGF_REPLY | MSGF_QUEUED), MSGF_DONE | MSGF_REPLY);
		}
		CHECK_EQ(lwkt_curthread()->td_msgport.mp_count, 0);
	}
	free(requests);
}

static void stop_services(void)
{
	struct request request;

	for (int i = 0; i < RFORKS; i++) {
		lwkt_initmsg(&request.msg, NULL, 0);
		request.value = -1;
		CHECK_EQ(lwkt_domsg(&services[i], &request.msg), ECANCELED);
	}
}

static void start_services(void)
{
	atomic_store(&served_up, 0);
	for (uintptr_t i = 0; i < RFORKS; i++)
		start_on(rforks[i], serve, (void *)i, 0);
	while (atomic_load(&served_up) < RFORKS)
		usleep(1000);
}

static void messages(void)
{
	lwkt_thread_t tds[2 * RFORKS + 2];
	unsigned n = 0;

	begin_rforks();
	start_services();
	for (uintptr_t i = 0; i < RFORKS; i++) {
		tds[n++] = start_on(rforks[i], ask, (void *)i, TDF_JOINABLE);
		tds[n++] = start_on(rforks[i], ask_many, (void *)(i + 1), TDF_JOINABLE);
	}
	tds[n++] = start(ask, (void *)7, TDF_JOINABLE);
	tds[n++] = start(ask_many, (void *)7, TDF_JOINABLE);
	ask(NULL); /* and thread0 */
	while (n)
		CHECK_EQ(lwkt_join(tds[--n]), 0);
	stop_services();
	end_rforks();
}

/* ---------------------------------------------------------------- aborts */

/* A server that takes its time, so that messages are queued, being served, forwarded or replied when they are aborted. */
static void serve_slowly(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg, seed = me * 7 + 1;

	lwkt_initport_thread(&services[me], NULL, "slow");
	atomic_fetch_add(&served_up, 1);
	for (;;) {
		struct request *request = (struct request *)lwkt_waitport(&services[me], NULL);

		for (unsigned i = seed % 5; i; i--)
			lwkt_yield();
		seed = seed * 1103515245 + 12345;
		if (request->value < 0) {
			CHECK_EQ(lwkt_replymsg(&request->msg, ECANCELED), 0);
			return;
		}
		if (request->value-- > 0)
			CHECK_EQ(lwkt_forwardmsg(&services[(me + 1) % RFORKS], &request->msg), EASYNC);
		else
			CHECK_EQ(lwkt_replymsg(&request->msg, 0), 0);
	}
}

struct outcome {
	int done, aborted;
};

static void ask_and_abort(void *arg)
{
	enum { MANY = 16 };
	struct outcome *outcome = arg;
	unsigned seed = (unsigned)lwkt_cpuid() + 3;

	for (int round = 0; round < 100 * SCALE; round++) {
		/* on the heap and freed at once: who touches one that has come back is caught */
		struct request *requests = malloc(MANY * sizeof(*requests));
		bool back[MANY] = {false};

		for (unsigned i = 0; i < MANY; i++) {
			lwkt_initmsg_abortable(&requests[i].msg, NULL, 0, lwkt_default_abortmsg);
			requests[i].value = (int)(seed % 4);
			seed = seed * 1103515245 + 12345;
			CHECK_EQ(lwkt_sendmsg(&services[seed / 65536 % RFORKS], &requests[i].msg), 0);
		}
		for (unsigned i = 0; i < MANY; i++) {
			int error;

			if (seed % 3)
				lwkt_yield();
			seed = seed * 1103515245 + 12345;
			error = lwkt_abortmsg(&requests[i].msg);
			CHECK(error == 0 || error == EALREADY);
			if (seed % 2) {
				error = lwkt_waitmsg(&requests[i].msg);
				CHECK(error == 0 || error == ECONNABORTED);
				outcome->done += error == 0;
				outcome->aborted += error != 0;
				back[i] = true;
			}
		}
		for (unsigned i = 0; i < MANY; i++)
			if (!back[i]) {
				int error = lwkt_waitmsg(&requests[i].msg);

				outcome->done += error == 0;
				outcome->aborted += error != 0;
			}
		free(requests);
	}
}

static void aborts(void)
{
	lwkt_thread_t tds[RFORKS];
	struct outcome outcomes[RFORKS] = {0};
	struct outcome sum = {0};

	begin_rforks();
	atomic_store(&served_up, 0);
	for (uintptr_t i = 0; i < RFORKS; i++)
		start_on(rforks[i], serve_slowly, (void *)i, 0);
	while (atomic_load(&served_up) < RFORKS)
		usleep(1000);
	for (int i = 0; i < RFORKS; i++)
		tds[i] = start_on(rforks[i], ask_and_abort, &outcomes[i], TDF_JOINABLE);
	for (int i = 0; i < RFORKS; i++) {
		CHECK_EQ(lwkt_join(tds[i]), 0);
		sum.done += outcomes[i].done;
		sum.aborted += outcomes[i].aborted;
	}
	printf("    %d done, %d aborted\n", sum.done, sum.aborted);
	CHECK(sum.done > 0 && sum.aborted > 0);
	stop_services();
	end_rforks();
}

/* ---------------------------------------------------------------- the end of an rfork */

static void nothing(void *arg)
{
	(void)arg;
}

static _Atomic int over, senders; /* senders: those who have met a living one */
static _Atomic(globaldata_t) mortal;

/* Sends to whoever is there; each message is run or refused. */
static void *sends_always(void *arg)
{
	unsigned sent = 0;

	(void)arg;
	CHECK_EQ(lwkt_cpu_init(), 0);
	while (!atomic_load(&over)) {
		uint64_t seq;
		globaldata_t gd = atomic_load(&mortal);
		int error = gd ? lwkt_send_ipiq(gd, nothing, NULL, &seq) : ESRCH;

		CHECK(error == 0 || error == ESRCH);
		if (error == 0 && sent++ == 0)
			atomic_fetch_add(&senders, 1);
	}
	CHECK_EQ(lwkt_cpu_fini(), 0);
	return NULL;
}

static void *born_and_dies(void *arg)
{
	(void)arg;
	for (int i = 0; i < 30 * SCALE || atomic_load(&senders) < 2; i++) {
		CHECK_EQ(lwkt_cpu_init(), 0);
		atomic_store(&mortal, lwkt_mycpu());
		start(nothing, NULL, 0);
		for (int n = 0; n < 20; n++)
			run_all();
		CHECK_EQ(lwkt_cpu_fini(), 0);
	}
	return NULL;
}

static void ends(void)
{
	pthread_t threads[3];

	topic("ends");
	atomic_store(&over, 0);
	CHECK_EQ(pthread_create(&threads[0], NULL, sends_always, NULL), 0);
	CHECK_EQ(pthread_create(&threads[1], NULL, sends_always, NULL), 0);
	CHECK_EQ(pthread_create(&threads[2], NULL, born_and_dies, NULL), 0);
	CHECK_EQ(pthread_join(threads[2], NULL), 0);
	atomic_store(&over, 1);
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	CHECK_EQ(pthread_join(threads[1], NULL), 0);
	CHECK_EQ(lwkt_ncpus(), 0);
}

static void too_many(void)
{
	globaldata_t all[LWKT_CPU_MAX], one_more;
	struct lwkt_rfork_args nowhere = {.processor = -1}, far = {.processor = 1 << 20};
	unsigned n = 0;
	int error;

	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &one_more, &nowhere), EINVAL);
	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &one_more, &far), EINVAL);
	while ((error = lwkt_rfork_create(NULL, NULL, &all[n], NULL)) == 0)
		n++;
	CHECK_EQ(error, EAGAIN);
	CHECK_EQ(n, LWKT_CPU_MAX - 1);
	while (n)
		CHECK_EQ(lwkt_rfork_join(all[--n]), 0);
}

int main(void)
{
	ON_RFORK(in_order);
	ON_RFORK(to_oneself);
	ON_RFORK(announced_too_late);
	ON_RFORK(flooded);
	ON_RFORK(created_and_joined);
	ON_RFORK(scheduled);
	ON_RFORK(not_joinable);
	ON_RFORK(messages);
	ON_RFORK(aborts);
	ON_RFORK(too_many);
	ends();
	return 0;
}
