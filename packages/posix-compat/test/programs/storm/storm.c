/*
 * storm.c - MANY signals from two other processes and from threads, at THREADS that wait in every kind of call (this folder's other files), compute and lock:
 * SEED MANY THREADS, in a directory where it may make files.
 *
 * Of what is queued each must come, once, and in its sender's order; a handler of what is for a thread runs there, on that thread's stack; a call is interrupted
 * as its kind and the handlers' SA_RESTART say. At the end each thread is got out of its wait by the least that may end it. It says what is not so.
 */
#include "storm.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#define THREADS_MAX 1000
#define STACK (256 * 1024)
#define STUCK_S 60 /* without anything that comes: then it says what is missing */
#define PLAIN 0    /* handlers without SA_RESTART, */
#define RESTARTING 1 /* and with it */
#define TO_THREAD(restarting) (SIGRTMIN + 2 + (restarting))

/* The threads that take one sender's signals, and two that do nothing but wait for what all block. */
#define WAITS_FOR_SIGNALS (SENDERS)
#define READS_SIGNALS (SENDERS + 1)

static struct worker {
	pthread_t thread;
	pid_t tid;
	char *stack, *altstack;
	_Atomic int at;      /* its kind */
	_Atomic bool ended;
	_Atomic int came[2], sent[2]; /* TO_THREAD */
} workers[THREADS_MAX];

static int many, nworkers;
static uint64_t seed;
static _Atomic int all_begun, over, fed, wrong;
static _Atomic int senders_at[SENDERS];
static _Atomic long nwaited_for;
static _Atomic char *waited[SENDERS];
static __thread int me = -1;
static __thread uint64_t state;
static __thread volatile unsigned ran[2]; /* handlers on this thread */
static double computed;
static struct kind *kinds[64];
static unsigned nkinds;

unsigned choose(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

void complain(const char *what, long expected, long got)
{
	if (!wrong++)
		fprintf(stderr, "%s: %ld, not %ld\n", what, got, expected);
}

/* ---------------------------------------------------------------- handlers */

unsigned handlers_run(void)
{
	return ran[PLAIN] + ran[RESTARTING];
}

void in_child(void)
{
	workers[me].tid = gettid();
}

/** On the stack that this thread has, or on its alternate one. */
static void is_here(bool on_altstack)
{
	const struct worker *self = me >= 0 ? &workers[me] : NULL;
	const char *here = __builtin_frame_address(0);

	if (!self)
		return complain("a handler on a thread that blocks it", 0, me);
	if (gettid() != self->tid)
		complain("a handler's thread", self->tid, gettid());
	if (on_altstack && self->altstack ? here < self->altstack || here >= self->altstack + STACK
	                                  : (here < self->stack || here >= self->stack + STACK) && (!self->altstack || here < self->altstack || here >= self->altstack + STACK))
		complain("a handler's stack", me, here - self->stack);
}

/** For the process, from another: each sender has a signal of its own, which one thread takes, and counts. */
static void from_process(int sig, siginfo_t *info, void *context)
{
	int sender = sig - SIGRTMIN;

	(void)context;
	ran[sig & 1 ? RESTARTING : PLAIN]++;
	is_here(false);
	if (me != sender)
		complain("a process' signal on a thread that blocks it", sender, me);
	if (info->si_value.sival_int != senders_at[sender])
		complain("a process' signal out of order", senders_at[sender], info->si_value.sival_int);
	senders_at[sender]++;
}

static void from_thread(int sig, siginfo_t *info, void *context)
{
	int whom = info->si_value.sival_int >> 20, number = info->si_value.sival_int & 0xfffff, which = sig - TO_THREAD(PLAIN);

	(void)context;
	ran[which]++;
	is_here(which == RESTARTING);
	if (whom != me)
		complain("a thread's signal on another", whom, me);
	else if (number != workers[me].came[which])
		complain("a thread's signal out of order", workers[me].came[which], number);
	else
		workers[me].came[which]++;
}

static void merged(int sig)
{
	ran[sig == SIGUSR1 ? PLAIN : RESTARTING]++;
	is_here(false);
}

/** Of each sender's a thread gets later ones later. */
void waited_for(const siginfo_t *info)
{
	static __thread int last[SENDERS];
	int sender = info->si_value.sival_int >> 24, number = info->si_value.sival_int & 0xffffff;

	if (sender < 0 || sender >= SENDERS || number >= many) {
		complain("a signal that was waited for", 0, info->si_value.sival_int);
		return;
	}
	if (waited[sender][number]++)
		complain("a signal that was waited for came twice", 1, number);
	if (number < last[sender])
		complain("signals that were waited for out of order", last[sender], number);
	last[sender] = number + 1;
	nwaited_for++;
}

static void handle(int sig, void *handler, int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_handler = (void (*)(int))handler;
	act.sa_flags = flags;
	sigaction(sig, &act, NULL);
}

static void set_handlers(void)
{
	for (int i = 0; i < SENDERS; i++)
		handle(SIGRTMIN + i, from_process, SA_SIGINFO | ((SIGRTMIN + i) & 1 ? SA_RESTART : 0));
	handle(TO_THREAD(PLAIN), from_thread, SA_SIGINFO);
	handle(TO_THREAD(RESTARTING), from_thread, SA_SIGINFO | SA_RESTART | SA_ONSTACK);
	handle(SIGUSR1, merged, 0);
	handle(SIGUSR2, merged, SA_RESTART);
	handle(SIGALRM, merged, SA_RESTART);
}

/* ---------------------------------------------------------------- threads */

/** Always the same, by vector registers that handlers of other threads use, too. */
void compute(unsigned rounds)
{
	for (; rounds; rounds--) {
		double x = 1;

		for (int i = 0; i < 20000; i++)
			x = x * 1.0000001 + 1;
		if (computed && x != computed)
			complain("what was computed", (long)computed, (long)x);
		computed = x;
	}
}

static void set_up(int number)
{
	struct worker *self = &workers[number < nworkers ? number : 0];
	sigset_t set;

	state = seed + (uint64_t)number * 7919;
	sigemptyset(&set);
	for (int i = 0; i < SENDERS; i++)
		if (number != i)
			sigaddset(&set, SIGRTMIN + i);
	sigaddset(&set, WAITED_FOR);
	if (number >= nworkers) {
		sigfillset(&set);
	} else {
		me = number;
		self->tid = gettid();
		if (self->altstack)
			sigaltstack(&(stack_t){.ss_sp = self->altstack, .ss_size = STACK}, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void begin_kinds(void)
{
	struct kind *const all[] = {storm_data, storm_polls, storm_locks, storm_queues};

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (struct kind *kind = all[i]; kind->name; kind++) {
			kind->missing = kind->begins && !kind->begins(kind);
			kinds[nkinds++] = kind;
		}
}

static int kind_named(const char *name)
{
	for (unsigned i = 0; i < nkinds; i++)
		if (!strcmp(kinds[i]->name, name))
			return (int)i;
	abort();
}

static int choose_kind(int number)
{
	int kind;

	if (number == WAITS_FOR_SIGNALS)
		return kind_named("sigtimedwait");
	if (number == READS_SIGNALS)
		return kind_named("read of a signalfd");
	do
		kind = (int)choose(nkinds);
	while (kinds[kind]->missing);
	return kind;
}

static void call_one(struct worker *self, int number)
{
	int which = choose_kind(number), error;
	struct kind *kind = kinds[which];
	unsigned before[2] = {ran[PLAIN], ran[RESTARTING]}, handled, plain;

	self->at = which;
	error = kind->call(kind, choose(3));
	handled = ran[PLAIN] - before[PLAIN] + ran[RESTARTING] - before[RESTARTING];
	plain = ran[PLAIN] - before[PLAIN];
	kind->calls++;
	if (!error)
		return;
	kind->interrupted++;
	if (error != EINTR)
		complain(kind->name, 0, error);
	else if (kind->ending == NEVER || (kind->ending != BREAKS && !handled))
		complain(kind->name, 0, error);
	else if (kind->ending == GOES_ON && !plain)
		complain(kind->name, RESTARTING, error);
}

static void *works(void *arg)
{
	int number = (int)(intptr_t)arg;
	struct worker *self = &workers[number];

	set_up(number);
	while (!over) {
		call_one(self, number);
		if (all_begun && !choose(64))
			pthread_kill(workers[choose((unsigned)nworkers)].thread, choose(2) ? SIGUSR1 : SIGUSR2);
	}
	self->ended = true;
	return arg;
}

static void begin_worker(int number)
{
	struct worker *self = &workers[number];
	pthread_attr_t attr;
	int error;

	self->stack = aligned_alloc(4096, STACK);
	if (number % 3 == 0)
		self->altstack = aligned_alloc(4096, STACK);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, self->stack, STACK);
	error = pthread_create(&self->thread, &attr, works, (void *)(intptr_t)number);
	if (error)
		complain("pthread_create", 0, error);
}

/* ---------------------------------------------------------------- who sends */

/** Two threads, one for each signal, so that each has its order. */
static void *sends(void *arg)
{
	int which = (int)(intptr_t)arg;

	set_up(nworkers + which);
	for (int i = 0; i < many / 4; i++) {
		int whom = (int)choose((unsigned)nworkers), value = whom << 20 | workers[whom].sent[which];

		while (pthread_sigqueue(workers[whom].thread, TO_THREAD(which), (union sigval){.sival_int = value}) == EAGAIN)
			usleep(100);
		workers[whom].sent[which]++;
		if (i % 256 == 0)
			usleep(1000);
	}
	return arg;
}

/** Once it has ended its number may be somebody else's. */
static void only_to(pid_t parent)
{
	if (getppid() != parent)
		_exit(1);
}

static pid_t begin_sender(int sender)
{
	pid_t parent = getpid(), child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < many / 4; i++) {
		int sig = i % 2 ? WAITED_FOR : SIGRTMIN + sender, value = i % 2 ? sender << 24 | i / 2 : i / 2;

		only_to(parent);
		while (sigqueue(parent, sig, (union sigval){.sival_int = value})) {
			usleep(100);
			only_to(parent);
		}
		if (i % 5 == 0)
			kill(parent, i % 10 ? SIGUSR1 : SIGUSR2);
	}
	_exit(0);
}

static void *feeds(void *arg)
{
	set_up(nworkers + 2);
	while (!fed) {
		for (unsigned i = 0; i < nkinds; i++)
			if (kinds[i]->feed && !kinds[i]->missing)
				kinds[i]->feed(kinds[i]);
		usleep(500);
	}
	return arg;
}

/* ---------------------------------------------------------------- until all has come, and all have ended */

static long all_that_came(void)
{
	long n = nwaited_for;

	for (int i = 0; i < SENDERS; i++)
		n += senders_at[i];
	for (int i = 0; i < nworkers; i++)
		n += workers[i].came[PLAIN] + workers[i].came[RESTARTING];
	return n;
}

/** Waits a moment; what is the same for very long is said. */
static void wait_for(const char *what, long done, long all)
{
	static long last;
	static time_t since;

	if (done != last || !since) {
		last = done;
		since = time(NULL);
	}
	if (time(NULL) - since > STUCK_S) {
		for (int i = 0; i < nworkers; i++)
			if (!workers[i].ended && over)
				fprintf(stderr, "thread %d is still in: %s\n", i, kinds[workers[i].at]->name);
			else if (workers[i].came[PLAIN] < workers[i].sent[PLAIN] || workers[i].came[RESTARTING] < workers[i].sent[RESTARTING])
				fprintf(stderr, "thread %d, in %s: %d and %d signals of %d and %d\n", i, kinds[workers[i].at]->name, workers[i].came[PLAIN],
				        workers[i].came[RESTARTING], workers[i].sent[PLAIN], workers[i].sent[RESTARTING]);
		complain(what, all, done);
	}
	usleep(1000);
}

/** By a handler with SA_RESTART where that has to do. */
static long get_out(void)
{
	long n = 0;

	for (int i = 0; i < nworkers; i++) {
		if (workers[i].ended)
			n++;
		else if (kinds[workers[i].at]->ending != NEVER)
			pthread_kill(workers[i].thread, kinds[workers[i].at]->ending == GOES_ON ? SIGUSR1 : SIGUSR2);
	}
	return n;
}

static void check_kinds(void)
{
	for (unsigned i = 0; i < nkinds; i++) {
		struct kind *kind = kinds[i];

		if (kind->missing) {
			printf("not here: %s\n", kind->name);
			continue;
		}
		if (getenv("STORM_SHOWN"))
			printf("%s: %u calls, %u interrupted\n", kind->name, kind->calls, kind->interrupted);
		if (!kind->calls)
			complain(kind->name, 1, 0);
		if (kind->left && kind->fed != kind->got + kind->left(kind)) {
			char what[80];

			snprintf(what, sizeof(what), "what was got of %s", kind->name);
			complain(what, kind->fed, kind->got);
		}
	}
}

int main(int argc, char **argv)
{
	struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	struct rlimit limit = {0, 0};
	pthread_t senders[2], feeder;
	pid_t children[SENDERS];
	sigset_t set;
	long all;

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	many = argc > 2 ? atoi(argv[2]) : 100000;
	nworkers = argc > 3 ? atoi(argv[3]) : THREADS_MAX;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	for (int i = 0; i < SENDERS; i++)
		waited[i] = calloc((size_t)many, 1);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	state = seed;
	compute(1);
	begin_kinds();
	if (holder_begins() < 0)
		complain("locks", 0, errno);
	set_handlers();
	for (int i = 0; i < nworkers; i++)
		begin_worker(i);
	all_begun = 1;
	for (int i = 0; i < SENDERS; i++)
		children[i] = begin_sender(i);
	getrlimit(RLIMIT_SIGPENDING, &limit);
	limit.rlim_cur = limit.rlim_max < 4000 ? limit.rlim_max : 4000; /* so that other processes have theirs */
	setrlimit(RLIMIT_SIGPENDING, &limit);
	setitimer(ITIMER_REAL, &often, NULL);
	pthread_create(&feeder, NULL, feeds, NULL);
	for (intptr_t i = 0; i < 2; i++)
		pthread_create(&senders[i], NULL, sends, (void *)i);
	all = many / 4 * (SENDERS + 2);
	for (int i = 0; i < SENDERS; i++)
		while (!wrong && !waitpid(children[i], NULL, WNOHANG))
			wait_for("signals that came, of those that other processes send", all_that_came(), all);
	for (int i = 0; i < 2; i++)
		while (!wrong && pthread_tryjoin_np(senders[i], NULL))
			wait_for("signals that came, of those that threads send", all_that_came(), all);
	while (all_that_came() < all && !wrong)
		wait_for("signals that came", all_that_came(), all);
	if (wrong)
		return 1;
	setitimer(ITIMER_REAL, &never, NULL);
	fed = 1;
	while (!wrong && pthread_tryjoin_np(feeder, NULL))
		wait_for("the feeder's rounds", 0, 1);
	over = 1;
	for (long n; (n = get_out()) < nworkers && !wrong;)
		wait_for("threads that ended", n, nworkers);
	if (wrong)
		return 1;
	for (int i = 0; i < nworkers; i++)
		while (!wrong && pthread_tryjoin_np(workers[i].thread, NULL))
			wait_for("threads that are gone", i, nworkers);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	check_kinds();
	if (wrong)
		return 1;
	printf("held: %d signals, %d threads\n", many, nworkers);
	return 0;
}
