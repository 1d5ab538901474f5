/*
 * processes.c - children of a process whose threads never rest: by fork, vfork and posix_spawn, with threads of their own, which end in every way
 * that there is, also while their threads are in the middle of something; and a lock that parent and child share.
 */
#include "soak.h"

#include <sys/prctl.h>

#define FORKERS 2
#define THREADS 3
#define TURNS 20
#define SHARED_TURNS 10

static struct actor nobody = {.role = "child", .doing = "anything"};
static pthread_mutex_t mutex;
static pthread_cond_t cond;
static int turn, turns;
static volatile int endless;

/** Of a forker and its child. */
struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	sem_t sem;
	int turn;
};

static void *takes_turns(void *number)
{
	int n = (int)(intptr_t)number;

	me = &nobody;
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < TURNS || endless; i++) {
		while (turn != n)
			pthread_cond_wait(&cond, &mutex);
		turn = (turn + 1) % THREADS;
		turns++;
		pthread_cond_broadcast(&cond);
	}
	pthread_mutex_unlock(&mutex);
	return number;
}

static void *runs_true(void *arg)
{
	execl("/bin/true", "true", (char *)NULL);
	_exit(5);
	return arg;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	return status;
}

/** How a child ends. */
enum { ALL_DONE, GRANDCHILD, IN_THE_MIDDLE, ABORTS, KILLED, EXECS, SHARES, WAYS };

/** The only thread of its process, which makes others. */
static void child(int way, struct shared *shared)
{
	pthread_t own[THREADS], last;
	int status = 7 << 8;

	me = &nobody;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it may wait for its parent */
	pthread_mutex_init(&mutex, NULL);
	pthread_cond_init(&cond, NULL);
	turn = turns = 0;
	endless = way != ALL_DONE && way != GRANDCHILD && way != SHARES;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&own[i], NULL, takes_turns, (void *)(intptr_t)i))
			_exit(2);
	if (way == GRANDCHILD) {
		pid_t pid = fork();

		if (!pid)
			child(ALL_DONE, NULL);
		status = wait_for(pid);
	}
	for (int i = 0; i < SHARED_TURNS && way == SHARES; i++) {
		pthread_mutex_lock(&shared->mutex);
		while (shared->turn % 2 == 0)
			pthread_cond_wait(&shared->cond, &shared->mutex);
		shared->turn++;
		pthread_cond_signal(&shared->cond);
		pthread_mutex_unlock(&shared->mutex);
		sem_post(&shared->sem);
	}
	if (endless)
		usleep((useconds_t)dice(2000));
	switch (way) {
	case IN_THE_MIDDLE:
		_exit(7);
	case ABORTS:
		abort();
	case EXECS:
		pthread_create(&last, NULL, runs_true, NULL);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(own[i], NULL);
	_exit(turns == THREADS * TURNS && WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 7 : 3);
}

/** The parent's side of SHARES. */
static void take_shared_turns(struct shared *shared)
{
	DO("sharing a condition variable with a child");
	for (int i = 0; i < SHARED_TURNS; i++) {
		OK(pthread_mutex_lock(&shared->mutex));
		while (shared->turn % 2)
			OK(pthread_cond_wait(&shared->cond, &shared->mutex));
		shared->turn++;
		OK(pthread_cond_signal(&shared->cond));
		OK(pthread_mutex_unlock(&shared->mutex));
	}
	DO("waiting for a child's semaphore");
	for (int i = 0; i < SHARED_TURNS; i++)
		while (sem_wait(&shared->sem) < 0)
			CHECK(errno == EINTR);
}

static struct shared *make_shared(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t mutexattr;
	pthread_condattr_t condattr;

	CHECK(shared != MAP_FAILED);
	pthread_mutexattr_init(&mutexattr);
	pthread_mutexattr_setpshared(&mutexattr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &mutexattr);
	pthread_condattr_init(&condattr);
	pthread_condattr_setpshared(&condattr, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->cond, &condattr);
	sem_init(&shared->sem, 1, 0);
	return shared;
}

static void do_fork(void)
{
	struct shared *shared = NULL;
	int way = (int)dice(WAYS), status;
	pid_t pid;

	if (way == SHARES)
		shared = make_shared();
	DO("fork");
	pid = fork();
	if (!pid)
		child(way, shared);
	CHECK(pid > 0);
	if (way == SHARES)
		take_shared_turns(shared);
	if (way == KILLED) {
		usleep((useconds_t)dice(3000));
		OK(kill(pid, SIGKILL));
	}
	DO("waitpid");
	status = wait_for(pid);
	if (way == ABORTS || way == KILLED ? !WIFSIGNALED(status) || WTERMSIG(status) != (way == ABORTS ? SIGABRT : SIGKILL)
	                                   : !WIFEXITED(status) || WEXITSTATUS(status) != (way == EXECS ? 0 : 7))
		wrong(__FILE__, __LINE__, "the status of a child", status << 4 | way);
	if (way == SHARES)
		munmap(shared, sizeof(*shared));
}

static void do_spawn(void)
{
	static const char *const words[] = {"true", NULL};
	pid_t pid;

	DO("posix_spawn");
	OK(posix_spawn(&pid, "/bin/true", NULL, NULL, (char **)words, environ));
	CHECK(wait_for(pid) == 0);
}

static void do_vfork(void)
{
	pid_t pid;

	DO("vfork");
	pid = vfork();
	if (!pid)
		_exit(9);
	CHECK(pid > 0);
	CHECK(wait_for(pid) == 9 << 8);
}

static void *forker(void *actor)
{
	begin_actor(actor);
	while (!board->stop) {
		switch (dice(8)) {
		case 0:
			do_spawn();
			break;
		case 1:
			do_vfork();
			break;
		default:
			do_fork();
		}
		me->progress++;
		__atomic_fetch_add(&board->processes, 1, __ATOMIC_RELAXED);
	}
	return end_actor();
}

void processes_begin(void)
{
	for (int i = 0; i < FORKERS; i++)
		act("forker", i, forker);
}
