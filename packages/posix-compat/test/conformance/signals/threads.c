/* threads.c - signals and threads (2.4): whom a signal is for, and who takes it. */
#include "../conformance.h"

#include <setjmp.h>
#include <stdatomic.h>

static atomic_int handled, ready, go, ended;
static pthread_t taker;
static int order[16];

static void notes_taker(int sig)
{
	taker = pthread_self();
	order[handled] = sig;
	handled++;
}

static sigset_t only(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void block(int sig)
{
	sigset_t set = only(sig);

	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
}

static void unblock(int sig)
{
	sigset_t set = only(sig);

	OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
}

static void *waits(void *arg)
{
	ready++;
	UNTIL(go);
	return arg;
}

static void *spins(void *arg)
{
	ready++;
	while (!go)
		;
	return arg;
}

BEHAVIOUR(kill_thread, "pthread_kill: the handler runs in that thread")
{
	pthread_t threads[5];

	catch_with(SIGUSR1, notes_taker, SA_RESTART);
	for (int i = 0; i < 5; i++)
		threads[i] = begin(waits, NULL);
	for (int i = 0; i < 5; i++) {
		OK(pthread_kill(threads[i], SIGUSR1));
		UNTIL(handled == i + 1);
		CHECK(pthread_equal(taker, threads[i]));
	}
	go = 1;
	for (int i = 0; i < 5; i++)
		end(threads[i]);
}

BEHAVIOUR(kill_computing, "So it does in one that computes")
{
	pthread_t thread;

	catch_with(SIGUSR1, notes_taker, 0);
	thread = begin(spins, NULL);
	UNTIL(ready);
	OK(pthread_kill(thread, SIGUSR1));
	UNTIL(handled);
	CHECK(pthread_equal(taker, thread));
	go = 1;
	end(thread);
}

BEHAVIOUR(kill_zero, "pthread_kill with 0 sends nothing; an invalid signal is EINVAL")
{
	pthread_t thread = begin(waits, NULL);

	OK(pthread_kill(thread, 0));
	GIVES(EINVAL, pthread_kill(thread, 77));
	go = 1;
	end(thread);
}

BEHAVIOUR(raise_self, "raise sends to the calling thread; its handler has run when it returns")
{
	catch_with(SIGUSR1, notes_taker, 0);
	OK(raise(SIGUSR1));
	CHECK(handled == 1 && pthread_equal(taker, pthread_self()));
}

static void *unblocks_and_waits(void *arg)
{
	unblock(SIGUSR1);
	return waits(arg);
}

BEHAVIOUR(process_signal, "A signal for the process is taken by a thread that does not block it")
{
	pthread_t threads[3];

	catch_with(SIGUSR1, notes_taker, SA_RESTART);
	block(SIGUSR1);
	threads[0] = begin(waits, NULL);
	threads[1] = begin(unblocks_and_waits, NULL);
	threads[2] = begin(waits, NULL);
	UNTIL(ready == 3);
	for (int i = 1; i <= 5; i++) {
		OK(kill(getpid(), SIGUSR1));
		UNTIL(handled == i);
		CHECK(pthread_equal(taker, threads[1]));
	}
	go = 1;
	for (int i = 0; i < 3; i++)
		end(threads[i]);
}

BEHAVIOUR(process_pending, "Blocked by all it stays pending for the process, and is taken by the first that unblocks it")
{
	pthread_t thread;
	sigset_t set;

	catch_with(SIGUSR1, notes_taker, SA_RESTART);
	block(SIGUSR1);
	thread = begin(waits, NULL);
	UNTIL(ready);
	OK(kill(getpid(), SIGUSR1));
	OK(sigpending(&set));
	CHECK(sigismember(&set, SIGUSR1) == 1 && !handled);
	unblock(SIGUSR1);
	CHECK(handled == 1 && pthread_equal(taker, pthread_self()));
	go = 1;
	end(thread);
}

static void *says_pending(void *arg)
{
	sigset_t set;

	(void)arg;
	block(SIGUSR2);
	OK(sigpending(&set));
	return (void *)(long)(sigismember(&set, SIGUSR1) * 2 + sigismember(&set, SIGUSR2));
}

BEHAVIOUR(thread_pending, "What is pending for a thread is not for others; what is for the process, is for all")
{
	block(SIGUSR1);
	block(SIGUSR2);
	OK(pthread_kill(pthread_self(), SIGUSR1));
	OK(kill(getpid(), SIGUSR2));
	CHECK(end(begin(says_pending, NULL)) == (void *)1);
}

static void *blocks(void *arg)
{
	block(SIGUSR1);
	return arg;
}

BEHAVIOUR(mask_own, "The signal mask is each thread's own")
{
	sigset_t set;

	end(begin(blocks, NULL));
	OK(pthread_sigmask(SIG_SETMASK, NULL, &set));
	CHECK(!sigismember(&set, SIGUSR1));
	GIVES(EINVAL, pthread_sigmask(77, &set, NULL));
}

static void *sets_action(void *arg)
{
	catch_with(SIGUSR1, notes_taker, 0);
	return arg;
}

BEHAVIOUR(action_common, "A signal's action is common to all threads")
{
	end(begin(sets_action, NULL));
	OK(raise(SIGUSR1));
	CHECK(handled == 1);
}

BEHAVIOUR(default_kills, "A signal for one thread whose default is to terminate ends the process")
{
	pid_t child = fork();
	int status;

	if (!child) {
		OK(pthread_kill(begin(waits, NULL), SIGTERM));
		for (;;)
			pause();
	}
	status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void *waits_for_signal(void *arg)
{
	sigset_t set = only(SIGUSR1);
	int sig;

	(void)arg;
	ready++;
	OK(sigwait(&set, &sig));
	handled++;
	return (void *)(long)sig;
}

BEHAVIOUR(sigwait_process, "sigwait takes a signal for the process; of several that wait one does")
{
	pthread_t threads[3];

	block(SIGUSR1);
	for (int i = 0; i < 3; i++)
		threads[i] = begin(waits_for_signal, NULL);
	UNTIL(ready == 3);
	moment();
	for (int i = 1; i <= 3; i++) {
		OK(kill(getpid(), SIGUSR1));
		UNTIL(handled == i);
		moment();
		CHECK(handled == i);
	}
	for (int i = 0; i < 3; i++)
		CHECK(end(threads[i]) == (void *)SIGUSR1);
}

BEHAVIOUR(sigwait_thread, "sigwait takes a signal for its thread")
{
	pthread_t thread;

	block(SIGUSR1);
	thread = begin(waits_for_signal, NULL);
	UNTIL(ready);
	moment();
	OK(pthread_kill(thread, SIGUSR1));
	CHECK(end(thread) == (void *)SIGUSR1);
}

BEHAVIOUR(sigtimedwait_late, "sigtimedwait ends with EAGAIN when its time is up")
{
	sigset_t set = only(SIGUSR1);
	struct timespec ts = {0, 30000000};

	block(SIGUSR1);
	begin(waits, NULL);
	SETS(EAGAIN, sigtimedwait(&set, NULL, &ts));
	go = 1;
}

BEHAVIOUR(sigwaitinfo_value, "sigqueue's value comes with the signal; real-time signals are queued, in order, the lowest first")
{
	sigset_t set = only(SIGRTMIN);
	siginfo_t info;

	sigaddset(&set, SIGRTMIN + 1);
	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	begin(waits, NULL);
	OK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 9}));
	for (int i = 0; i < 3; i++)
		OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
	for (int i = 0; i < 3; i++) {
		GIVES(SIGRTMIN, sigwaitinfo(&set, &info));
		CHECK(info.si_code == SI_QUEUE && info.si_value.sival_int == i && info.si_pid == getpid());
	}
	GIVES(SIGRTMIN + 1, sigwaitinfo(&set, &info));
	CHECK(info.si_value.sival_int == 9);
	go = 1;
}

BEHAVIOUR(realtime_order, "Handlers of queued real-time signals run in order, the lowest first, each as often as it was sent")
{
	struct sigaction act = {.sa_handler = notes_taker};

	begin(waits, NULL);
	for (int i = 0; i < 4; i++)
		sigaddset(&act.sa_mask, SIGRTMIN + i);
	for (int i = 0; i < 4; i++)
		OK(sigaction(SIGRTMIN + i, &act, NULL));
	OK(pthread_sigmask(SIG_BLOCK, &act.sa_mask, NULL));
	for (int i = 7; i >= 0; i--)
		OK(pthread_kill(pthread_self(), SIGRTMIN + i / 2));
	OK(pthread_sigmask(SIG_UNBLOCK, &act.sa_mask, NULL));
	CHECK(handled == 8);
	for (int i = 0; i < 8; i++)
		CHECK(order[i] == SIGRTMIN + i / 2);
	go = 1;
}

static void *reads(void *arg)
{
	int *fds = arg;
	char byte;

	ready = 1;
	SETS(EINTR, read(fds[0], &byte, 1));
	ended = 1;
	return NULL;
}

BEHAVIOUR(eintr_one, "A handler without SA_RESTART ends the call of its thread with EINTR, of no other")
{
	int fds[2], others[2];
	char byte;
	pthread_t thread;

	OK(pipe(fds));
	OK(pipe(others));
	catch_with(SIGUSR1, notes_taker, 0);
	thread = begin(reads, fds);
	UNTIL(ready);
	KILL_UNTIL(ended, thread, SIGUSR1);
	end(thread);
	CHECK(handled);
	CHECK(write(others[1], "x", 1) == 1 && read(others[0], &byte, 1) == 1);
}

static void *reads_one(void *arg)
{
	char byte = 0;

	ready = 1;
	CHECK(read(*(int *)arg, &byte, 1) == 1 && byte == 'x');
	return NULL;
}

BEHAVIOUR(restart, "With SA_RESTART the call goes on")
{
	int fds[2];
	pthread_t thread;

	OK(pipe(fds));
	catch_with(SIGUSR1, notes_taker, SA_RESTART);
	thread = begin(reads_one, fds);
	UNTIL(ready);
	moment();
	OK(pthread_kill(thread, SIGUSR1));
	UNTIL(handled);
	CHECK(write(fds[1], "x", 1) == 1);
	end(thread);
}

static __thread sigjmp_buf back;
static __thread volatile int faults;

static void on_fault(int sig)
{
	(void)sig;
	faults++;
	siglongjmp(back, 1);
}

static void *faults_often(void *arg)
{
	while (faults < 50)
		if (!sigsetjmp(back, 1))
			*(volatile int *)8 = 1;
	return arg;
}

BEHAVIOUR(fault_own, "A fault's signal is for the thread that has caused it")
{
	pthread_t threads[4];

	catch_with(SIGSEGV, on_fault, 0);
	for (int i = 0; i < 4; i++)
		threads[i] = begin(faults_often, NULL);
	for (int i = 0; i < 4; i++)
		end(threads[i]);
	CHECK(!faults);
}

static char stacks[4][64 * 1024];

static void notes_stack(int sig)
{
	char here;

	(void)sig;
	for (int i = 0; i < 4; i++)
		if (&here >= stacks[i] && &here < stacks[i] + sizeof(stacks[i]))
			order[i]++;
	handled++;
}

static void *has_stack(void *arg)
{
	stack_t stack = {.ss_sp = stacks[(long)arg], .ss_size = sizeof(stacks[0])};

	OK(sigaltstack(&stack, NULL));
	OK(raise(SIGUSR1));
	moment();
	OK(raise(SIGUSR1));
	return NULL;
}

BEHAVIOUR(altstack_own, "The alternate stack is each thread's own")
{
	pthread_t threads[4];

	catch_with(SIGUSR1, notes_stack, SA_ONSTACK);
	for (long i = 0; i < 4; i++)
		threads[i] = begin(has_stack, (void *)i);
	for (int i = 0; i < 4; i++)
		end(threads[i]);
	for (int i = 0; i < 4; i++)
		CHECK(order[i] == 2);
}

static void *suspends(void *arg)
{
	sigset_t none;

	sigemptyset(&none);
	ready = 1;
	SETS(EINTR, sigsuspend(&none));
	CHECK(handled == 1);
	OK(pthread_sigmask(SIG_SETMASK, NULL, &none));
	CHECK(sigismember(&none, SIGUSR1) == 1);
	return arg;
}

BEHAVIOUR(suspend, "sigsuspend waits with another mask, runs the handler, and restores the mask")
{
	pthread_t thread;

	catch_with(SIGUSR1, notes_taker, 0);
	block(SIGUSR1);
	thread = begin(suspends, NULL);
	UNTIL(ready);
	OK(pthread_kill(thread, SIGUSR1)); /* pending if it is early */
	end(thread);
}

static void *sleeps(void *arg)
{
	struct timespec ts = {1000, 0}, left = {0, 0};

	ready = 1;
	SETS(EINTR, nanosleep(&ts, &left));
	CHECK(left.tv_sec > 5 && left.tv_sec < 1000);
	ended = 1;
	return arg;
}

BEHAVIOUR(sleep_interrupted, "nanosleep ends with EINTR, and says what is left")
{
	pthread_t thread;

	catch_with(SIGUSR1, notes_taker, SA_RESTART);
	thread = begin(sleeps, NULL);
	UNTIL(ready);
	KILL_UNTIL(ended, thread, SIGUSR1);
	end(thread);
}

BEHAVIOUR(alarm_process, "alarm's signal is for the process: a thread that has it unblocked takes it")
{
	pthread_t thread;

	catch_with(SIGALRM, notes_taker, SA_RESTART);
	thread = begin(waits, NULL);
	UNTIL(ready);
	block(SIGALRM);
	alarm(1);
	UNTIL(handled);
	CHECK(pthread_equal(taker, thread));
	go = 1;
	end(thread);
}

static void notes_value(union sigval value)
{
	handled = value.sival_int;
}

BEHAVIOUR(timer_thread, "A timer with SIGEV_THREAD calls its function in a thread")
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notes_value, .sigev_value.sival_int = 5};
	struct itimerspec times = {.it_value = {0, 10000000}};
	timer_t timer;

	OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	OK(timer_settime(timer, 0, &times, NULL));
	UNTIL(handled == 5);
	OK(timer_delete(timer));
}
