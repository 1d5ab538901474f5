/*
 * faults.c - threads that fault and go on, owners of locks that end, timers, calls that come back in pieces, connections, and
 * one that blocks all signals.
 */
#include "soak.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/select.h>
#include <sys/socket.h>

#define PIECES 300000u /* bytes: more than a pipe has room for */
#define ALTSTACK 65536u

/* ---------------------------------------------------------------- faults */

static __thread sigjmp_buf out;
static __thread char *volatile page; /* whose fault it is to be */
static __thread volatile int faults, jumps;

/** Gives the page, or jumps out. */
static void on_fault(int sig, siginfo_t *si, void *context)
{
	char *volatile here = (char *)&here;

	(void)context;
	faults++;
	if (jumps)
		siglongjmp(out, sig);
	if (sig != SIGSEGV || si->si_addr != page || mprotect(page, 4096, PROT_READ | PROT_WRITE))
		abort();
}

static void *faulter(void *actor)
{
	stack_t stack = {.ss_sp = malloc(ALTSTACK), .ss_size = ALTSTACK};

	begin_actor(actor);
	OK(sigaltstack(&stack, NULL));
	while (!board->stop) {
		int before = faults, number = 1 + (int)dice(100);
		volatile int zero = 0;

		DO("faulting");
		page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(page != MAP_FAILED);
		jumps = 0;
		*(volatile int *)page = number;
		CHECK(*(volatile int *)page == number && faults == before + 1);
		OK(mprotect(page, 4096, PROT_NONE));
		jumps = 1;
		if (sigsetjmp(out, 1) == 0)
			*(volatile int *)page = zero;
		else
			CHECK(faults == before + 2);
		switch (sigsetjmp(out, 1)) {
		case 0:
			zero = number / zero;
			abort();
		default:
			CHECK(faults == before + 3);
		}
		OK(munmap(page, 4096));
		me->progress++;
	}
	stack.ss_flags = SS_DISABLE;
	OK(sigaltstack(&stack, NULL));
	return end_actor();
}

/* ---------------------------------------------------------------- owners that end */

static struct {
	pthread_mutex_t mutex;
	unsigned deaths; /* that whoever came next has been told of; under it */
} robust;

static void lock_robust(void)
{
	int error = pthread_mutex_lock(&robust.mutex);

	if (error == EOWNERDEAD) {
		robust.deaths++;
		error = pthread_mutex_consistent(&robust.mutex);
	}
	if (error)
		wrong(__FILE__, __LINE__, "a robust mutex", error);
}

static void *takes_and_ends(void *arg)
{
	lock_robust();
	return arg;
}

#define OWNERS 3

static void *robust_main(void *actor)
{
	pthread_mutexattr_t attr;

	begin_actor(actor);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust.mutex, &attr);
	while (!board->stop) {
		pthread_t threads[OWNERS];

		DO("robust mutexes");
		robust.deaths = 0;
		for (int i = 0; i < OWNERS; i++)
			OK(pthread_create(&threads[i], NULL, takes_and_ends, NULL));
		lock_robust();
		OK(pthread_mutex_unlock(&robust.mutex));
		for (int i = 0; i < OWNERS; i++)
			OK(pthread_join(threads[i], NULL));
		lock_robust();
		CHECK(robust.deaths == OWNERS);
		OK(pthread_mutex_unlock(&robust.mutex));
		me->progress++;
	}
	return end_actor();
}

/* ---------------------------------------------------------------- timers */

static void *timers(void *actor)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGNAL_TIMER};
	siginfo_t info;
	timer_t timer;
	sigset_t set;

	begin_actor(actor);
	sigemptyset(&set);
	sigaddset(&set, SIGNAL_TIMER);
	OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	while (!board->stop) {
		struct itimerspec spec = {.it_value.tv_nsec = 1 + (long)dice(1000000)};

		DO("waiting for a timer");
		OK(timer_settime(timer, 0, &spec, NULL));
		while (sigwaitinfo(&set, &info) < 0)
			CHECK(errno == EINTR);
		CHECK(info.si_signo == SIGNAL_TIMER && info.si_code == SI_TIMER);
		me->progress++;
	}
	OK(timer_delete(timer));
	return end_actor();
}

/* ---------------------------------------------------------------- calls in pieces */

static void *writes_pieces(void *fd)
{
	unsigned char *bytes = malloc(PIECES);
	unsigned done = 0;

	for (unsigned i = 0; i < PIECES; i++)
		bytes[i] = (unsigned char)(i * 31);
	while (done < PIECES) {
		long n = write((int)(intptr_t)fd, bytes + done, PIECES - done);

		if (n > 0)
			done += (unsigned)n;
		else if (errno != EINTR)
			abort();
	}
	free(bytes);
	close((int)(intptr_t)fd);
	return NULL;
}

static void *pieces(void *actor)
{
	static unsigned char bytes[70000];

	begin_actor(actor);
	while (!board->stop) {
		unsigned done = 0;
		pthread_t thread;
		int fds[2];

		DO("a large write");
		CHECK((dice(2) ? pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) == 0);
		OK(pthread_create(&thread, NULL, writes_pieces, (void *)(intptr_t)fds[1]));
		for (;;) {
			long n = read(fds[0], bytes, 1 + dice(sizeof(bytes)));

			CHECK(n >= 0 || errno == EINTR);
			if (n == 0)
				break;
			for (long i = 0; i < n; i++, done++)
				if (bytes[i] != (unsigned char)(done * 31))
					wrong(__FILE__, __LINE__, "a byte", done);
		}
		CHECK(done == PIECES);
		OK(pthread_join(thread, NULL));
		close(fds[0]);
		me->progress++;
	}
	return end_actor();
}

static void *connects(void *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte = 'a';

	if (connect(fd, address, sizeof(struct sockaddr_in)) && errno != EINTR)
		abort();
	while (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		if (errno != EINTR && errno != ENOTCONN && errno != EPIPE)
			abort();
	while (recv(fd, &byte, 1, 0) < 0)
		if (errno != EINTR)
			abort();
	if (byte != 'b')
		abort();
	close(fd);
	return NULL;
}

static void *accepts(void *actor)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	begin_actor(actor);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 5) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	while (!board->stop) {
		pthread_t thread;
		char byte = 0;
		int fd;

		OK(pthread_create(&thread, NULL, connects, &address));
		DO("accept");
		while ((fd = accept(listener, NULL, NULL)) < 0)
			CHECK(errno == EINTR);
		DO("recv of what was connected");
		while (recv(fd, &byte, 1, 0) < 0)
			CHECK(errno == EINTR);
		CHECK(byte == 'a');
		byte = 'b';
		DO("send to what was connected");
		while (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			CHECK(errno == EINTR);
		OK(pthread_join(thread, NULL));
		close(fd);
		me->progress++;
	}
	close(listener);
	return end_actor();
}

/* ---------------------------------------------------------------- nothing to interrupt it */

/** Whoever blocks all signals never hears of one, nor that a call has ended for one. */
static void *deaf(void *actor)
{
	int fds[2];
	sigset_t all;

	begin_actor(actor);
	sigfillset(&all);
	OK(pthread_sigmask(SIG_SETMASK, &all, NULL));
	CHECK(pipe(fds) == 0);
	while (!board->stop) {
		struct pollfd one = {.fd = fds[0], .events = POLLIN};
		struct timespec ts = {0, (long)dice(300000)};
		struct timeval tv = {0, (suseconds_t)dice(3) * 100};
		fd_set set;

		DO("poll, with all signals blocked");
		CHECK(poll(&one, 1, (int)dice(2)) == 0);
		CHECK(ppoll(&one, 1, &ts, NULL) == 0);
		DO("select, with all signals blocked");
		FD_ZERO(&set);
		FD_SET(fds[0], &set);
		CHECK(select(fds[0] + 1, &set, NULL, NULL, &tv) == 0);
		DO("nanosleep, with all signals blocked");
		OK(nanosleep(&ts, NULL));
		me->progress++;
	}
	return end_actor();
}

void faults_begin(void)
{
	struct sigaction act_on = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaction(SIGSEGV, &act_on, NULL);
	sigaction(SIGFPE, &act_on, NULL);
	act("faulter", 0, faulter);
	act("faulter", 1, faulter);
	act("robust", 0, robust_main);
	act("timers", 0, timers);
	act("pieces", 0, pieces);
	act("accepts", 0, accepts);
	act("deaf", 0, deaf);
}
