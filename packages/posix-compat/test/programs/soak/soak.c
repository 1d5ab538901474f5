/*
 * soak.c - for a long time, whatever threads do to one another, chosen by a seed: locks of all kinds, condition variables, timed waits, semaphores,
 * pipes, signals, cancellation, fork. Nothing may be lost, doubled or late for good.
 *
 *   soak SECONDS SEED
 *
 * The threads are a child's. Its parent looks whether each of them goes on: one that does not for STALLED looks is told, with what it was doing, and
 * both processes abort. (SOAK_KEEP in the environment: the child is kept for a debugger.) Whatever is wrong ends in wrong(), with the seed.
 */
#include "soak.h"

#include <sys/prctl.h>

struct board *board;
__thread struct actor *me;
__thread uint64_t random_state;
static pthread_t threads[ACTORS];
static const int noticed[] = {SIGUSR1, SIGUSR2};

uint64_t dice(uint64_t sides)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state * 0x2545f4914f6cdd1dull >> 20) % sides;
}

void wrong(const char *file, int line, const char *what, long value)
{
	fprintf(stderr, "soak: seed %lu: %s:%d: not so: %s (%ld, errno %s), in %s %d, %s\n", board->seed, file, line, what, value, strerror(errno),
	        me ? me->role : "?", me ? me->index : 0, me ? me->doing : "?");
	abort();
}

struct timespec soon(clockid_t clock, long us)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += us * 1000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

/* ---------------------------------------------------------------- signals */

static __thread volatile unsigned handled; /* volatile: the C library's functions are declared as if they called no handler */

/** Also uses what a thread has in its registers. */
static void on_signal(int sig)
{
	int saved = errno;
	volatile double x = sig;

	handled += sig == SIGUSR1;
	for (int i = 0; i < 10; i++)
		x = x * 1.5 + i;
	__atomic_fetch_add(&board->signals, 1, __ATOMIC_RELAXED);
	errno = saved;
}

/** A signal to a thread that blocks it waits, and is handled before the call returns that lets it in. */
void op_masked(void)
{
	sigset_t set, old, pending;
	unsigned before;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	DO("a blocked signal");
	OK(pthread_sigmask(SIG_BLOCK, &set, &old));
	before = handled;
	OK(pthread_kill(pthread_self(), SIGUSR1));
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
	CHECK(handled == before);
	OK(pthread_sigmask(SIG_SETMASK, &old, NULL));
	CHECK(handled > before);
}

static void *killer(void *actor)
{
	begin_actor(actor);
	while (!board->stop) {
		int n = __atomic_load_n(&board->nactors, __ATOMIC_ACQUIRE), sig = noticed[dice(2)];

		DO("pthread_kill");
		if (dice(8))
			OK(pthread_kill(threads[dice((uint64_t)n - 1) + 1], sig)); /* none is joined before this one */
		else
			OK(kill(getpid(), sig));
		DO("usleep");
		usleep((useconds_t)dice(500));
		me->progress++;
	}
	return end_actor();
}

/* ---------------------------------------------------------------- the actors */

void *begin_actor(void *actor)
{
	me = actor;
	random_state = (board->seed + (uint64_t)(me - board->actors)) * 0x9e3779b97f4a7c15ull | 1;
	return me;
}

void *end_actor(void)
{
	DO("its end");
	me->over = 1;
	return NULL;
}

/** One more thread. */
void act(const char *role, int index, void *(*run)(void *))
{
	int n = board->nactors;

	CHECK(n < ACTORS);
	board->actors[n].role = role;
	board->actors[n].index = index;
	board->actors[n].doing = "its beginning";
	OK(pthread_create(&threads[n], NULL, run, &board->actors[n]));
	__atomic_store_n(&board->nactors, n + 1, __ATOMIC_RELEASE);
}

/** The child. */
static int soak(double seconds)
{
	struct timespec end = soon(CLOCK_MONOTONIC, 0), now;
	struct sigaction act_on = {.sa_handler = on_signal};
	sigset_t set;

	end.tv_sec += (time_t)seconds;
	board->actors[0].role = "main";
	board->nactors = 1;
	begin_actor(&board->actors[0]);
	threads[0] = pthread_self();
	sigaction(SIGUSR2, &act_on, NULL);
	act_on.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &act_on, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGNAL_CHANNEL);
	sigaddset(&set, SIGNAL_TIMER);
	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	work_begins();
	channels_begin();
	cancels_begin();
	processes_begin();
	faults_begin();
	act("killer", 0, killer);
	do {
		DO("usleep");
		usleep(20000);
		me->progress++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	board->stop = 1;
	for (int i = board->nactors - 1; i > 0; i--) { /* the killer first */
		DO("pthread_join");
		OK(pthread_join(threads[i], NULL));
		me->progress++;
	}
	work_ends();
	end_actor();
	return 0;
}

/* ---------------------------------------------------------------- the parent */

static void show(void)
{
	for (int i = 0; i < board->nactors; i++) {
		const struct actor *actor = &board->actors[i];

		fprintf(stderr, "  %-8s %2d: %9lu%s %s\n", actor->role, actor->index, actor->progress, actor->over ? ", over:" : actor->looks >= STALLED ? ", STALLED:" : "",
		        actor->doing);
	}
}

/** Whether one does not go on any more. */
static int look(void)
{
	int stalled = 0;

	for (int i = 0; i < board->nactors; i++) {
		struct actor *actor = &board->actors[i];

		if (actor->seen != actor->progress || actor->over)
			actor->looks = 0;
		else if (++actor->looks >= STALLED)
			stalled = 1;
		actor->seen = actor->progress;
	}
	return stalled;
}

static int watch(pid_t child)
{
	int status;

	for (;;) {
		pid_t ended = waitpid(child, &status, WNOHANG);

		if (ended == child)
			break;
		usleep(100000);
		if (!look())
			continue;
		fprintf(stderr, "soak: seed %lu: somebody does not go on; process %d\n", board->seed, child);
		show();
		while (getenv("SOAK_KEEP"))
			sleep(1);
		kill(child, SIGABRT);
		abort();
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "soak: seed %lu: status 0x%x\n", board->seed, status);
		show();
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 5;
	uint64_t progress = 0;
	pid_t pid;
	int failed;

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	board->seed = argc > 2 ? strtoul(argv[2], NULL, 0) : (uint64_t)getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %lu\n", board->seed);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(soak(seconds));
	}
	failed = watch(pid);
	for (int i = 0; i < board->nactors; i++)
		progress += board->actors[i].progress;
	if (!failed)
		printf("held: %d threads, %lu rounds, %lu signals, %lu processes, %lu cancelled\n", board->nactors, progress, board->signals, board->processes,
		       board->cancelled);
	return failed;
}
