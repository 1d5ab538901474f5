/*
 * supervisor.c - the supervisor's side of the memory by which programs' calls come to shims (program/script/channel.h): makes it, looks for calls, answers, and hears
 * of processes that end. What a call is, and what is done with it, is JavaScript's (src/supervisor/).
 *
 * The event loop watches one epoll descriptor: the doorbell, which programs ring, and a pidfd for each process. Before each poll ch_asleep is set, and then looked a last time: so
 * nobody need ring while this thread runs, and no call is overlooked when it sleeps.
 *
 * Invariants:
 *  - A slot that supervisor_next has answered is in neither ch_pending nor `taken`: it is the caller's to look at.
 *  - The memory is mapped for as long as JavaScript has the ArrayBuffer over it; what is called after close() does nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../program/script/rows.h"
#include "syscalls.h"

#define WORDS (CHANNEL_SLOTS / 32)
#define EVENTS_AT_ONCE 64
#define BELL UINT64_MAX
#define TURNS_A_LOOK 16 /* of a spinning look, between two at the clock */
#define TURNS_TIMED 512
#define YIELDS_AFTER 3000 /* nanoseconds of a look */
#define HANDLES 3

struct supervisor {
	struct environment *environment;
	struct supervisor *next;        /* the environment's */
	struct channel *channel;
	int memfd, bell, epfd;
	int life;                       /* a pipe's end, which nobody writes to: programs see it closed (ch_life) */
	uv_poll_t poll;
	uv_prepare_t prepare;
	uv_check_t check;
	napi_ref on_bell;               /* onBell(): there are calls */
	napi_ref on_ended;              /* onEnded(pid) */
	int32_t *waiting;               /* JavaScript's: calls that it has taken and not begun */
	napi_ref keeps_waiting;
	napi_ref buffer;
	uint32_t taken[WORDS];          /* out of ch_pending, and not yet told */
	unsigned last;                  /* the slot that was told last: those behind it come first */
	int closed;
	int holds;                      /* the three handles, and JavaScript's object */
};

static struct slot *slot_of(const struct supervisor *supervisor, unsigned i)
{
	return (struct slot *)((char *)supervisor->channel + CHANNEL_SLOTS_AT + (size_t)i * SLOT_SIZE);
}

static void let_go(struct supervisor *supervisor)
{
	if (--supervisor->holds == 0)
		free(supervisor);
}

/* ---------------------------------------------------------------- looking */

static int is_pending(const struct supervisor *supervisor)
{
	for (int i = 0; i < WORDS; i++)
		if (supervisor->taken[i] || __atomic_load_n(&supervisor->channel->ch_pending[i], __ATOMIC_SEQ_CST))
			return 1;
	return 0;
}

/** A slot that has been posted, or -1. */
static int take(struct supervisor *supervisor)
{
	unsigned first = supervisor->last / 32;

	for (unsigned n = 0; n <= WORDS; n++) {
		unsigned i = (first + n) % WORDS;
		if (__atomic_load_n(&supervisor->channel->ch_pending[i], __ATOMIC_RELAXED))
			supervisor->taken[i] |= __atomic_exchange_n(&supervisor->channel->ch_pending[i], 0, __ATOMIC_SEQ_CST);
		uint32_t bits = supervisor->taken[i];
		if (n == 0) /* those behind the last one; the others of its word come at the end */
			bits &= ~(uint32_t)((2ull << supervisor->last % 32) - 1);
		if (bits == 0)
			continue;
		unsigned slot = i * 32 + (unsigned)__builtin_ctz(bits);
		supervisor->taken[i] &= ~(1u << slot % 32);
		supervisor->last = slot;
		return (int)slot;
	}
	return -1;
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int take_spinning(struct supervisor *supervisor, uint64_t spin)
{
	int slot = take(supervisor);

	if (slot >= 0 || spin == 0)
		return slot;
	uint64_t begun = nanoseconds(), now = begun;
	do {
		if (now - begun > YIELDS_AFTER) /* who was woken may have been put onto this very processor */
			sched_yield();
		for (int i = 0; i < TURNS_A_LOOK; i++) {
			__builtin_ia32_pause();
			if ((slot = take(supervisor)) >= 0)
				return slot;
		}
		now = nanoseconds();
	} while (now - begun < spin);
	return -1;
}

/** Turns of a spinning loop in a microsecond: the instruction takes from ten to a hundred and fifty cycles, by processor. */
static double turns_a_microsecond(void)
{
	uint64_t begun = nanoseconds();

	for (int i = 0; i < TURNS_TIMED; i++)
		__builtin_ia32_pause();
	return TURNS_TIMED * 1e3 / (double)(nanoseconds() - begun + 1);
}

/* ---------------------------------------------------------------- the clock of rows (script/rows.h) */

static struct rows *rows_of(const struct supervisor *supervisor)
{
	return (struct rows *)((char *)supervisor->channel + CHANNEL_ROWS_AT);
}

/** Whether the processor's cycles are a clock: the kernel takes its own time from them. */
static int cycles_are_time(void)
{
	static const char *const clocks[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page"};
	char name[64] = "";
	FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
	int is = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%63s", name) == 1)
		for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
			is |= strcmp(name, clocks[i]) == 0;
	fclose(file);
	return is;
}

/** The supervisor was made at that time, and cycle: a while has passed since. */
static void find_cycle(const struct supervisor *supervisor, uint64_t then)
{
	struct rows *rows = rows_of(supervisor);
	uint64_t cycles = __builtin_ia32_rdtsc() - rows->rh_since;
	uint64_t ns = nanoseconds() - then;

	if (cycles != 0 && cycles_are_time())
		rows->rh_cycle = (uint64_t)(((unsigned __int128)ns << 32) / cycles);
}

static double rows_clock(const struct supervisor *supervisor)
{
	const struct rows *rows = rows_of(supervisor);

	if (rows->rh_cycle == 0)
		return (double)nanoseconds();
	return (double)(uint64_t)((unsigned __int128)(__builtin_ia32_rdtsc() - rows->rh_since) * rows->rh_cycle >> 32);
}

/* ---------------------------------------------------------------- the event loop */

static void ring(const struct supervisor *supervisor)
{
	uint64_t one = 1;

	(void)!write(supervisor->bell, &one, sizeof one);
}

static void sleeps(const struct supervisor *supervisor, uint32_t asleep)
{
	__atomic_store_n(&supervisor->channel->ch_asleep, asleep, __ATOMIC_SEQ_CST);
}

static void tell(struct supervisor *supervisor)
{
	sleeps(supervisor, 0);
	environment_call(supervisor->environment, supervisor->on_bell, 0, 0);
}

static void on_prepare(uv_prepare_t *handle)
{
	struct supervisor *supervisor = handle->data;

	sleeps(supervisor, 1);
	if (!is_pending(supervisor) && *supervisor->waiting == 0)
		return;
	tell(supervisor);
	if (supervisor->closed)
		return;
	sleeps(supervisor, 1);
	if (is_pending(supervisor))
		ring(supervisor); /* once more, after what else the loop has to do */
}

static void on_check(uv_check_t *handle)
{
	sleeps(handle->data, 0);
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct supervisor *supervisor = handle->data;
	struct epoll_event list[EVENTS_AT_ONCE];
	int rung = 0;

	(void)status;
	(void)events;
	int n = epoll_wait(supervisor->epfd, list, EVENTS_AT_ONCE, 0);
	for (int i = 0; i < n && !supervisor->closed; i++) {
		if (list[i].data.u64 == BELL) {
			uint64_t rings;
			(void)!read(supervisor->bell, &rings, sizeof rings);
			rung = 1;
			continue;
		}
		int pidfd = (int)(list[i].data.u64 >> 32);
		epoll_ctl(supervisor->epfd, EPOLL_CTL_DEL, pidfd, NULL);
		close(pidfd);
		environment_call(supervisor->environment, supervisor->on_ended, (double)(uint32_t)list[i].data.u64, 0);
	}
	if (rung && !supervisor->closed)
		tell(supervisor);
}

static void on_closed(uv_handle_t *handle)
{
	struct supervisor *supervisor = handle->data;

	environment_handle_closed(supervisor->environment);
	let_go(supervisor);
}

static void unmap(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	munmap(data, CHANNEL_SIZE);
}

static void delete_reference(napi_env env, napi_ref *reference)
{
	if (*reference != NULL)
		napi_delete_reference(env, *reference);
	*reference = NULL;
}

/** Takes the memory from JavaScript, and lets go of all. */
static void end(struct supervisor *supervisor)
{
	napi_env env = supervisor->environment->env;
	napi_value buffer;
	napi_handle_scope scope;

	if (supervisor->closed)
		return;
	supervisor->closed = 1;
	for (struct supervisor **at = &supervisor->environment->supervisors; *at != NULL; at = &(*at)->next)
		if (*at == supervisor) {
			*at = supervisor->next;
			break;
		}
	uv_poll_stop(&supervisor->poll);
	uv_close((uv_handle_t *)&supervisor->poll, on_closed);
	uv_close((uv_handle_t *)&supervisor->prepare, on_closed);
	uv_close((uv_handle_t *)&supervisor->check, on_closed);
	close(supervisor->epfd);
	close(supervisor->bell);
	close(supervisor->memfd);
	close(supervisor->life);
	napi_open_handle_scope(env, &scope);
	if (napi_get_reference_value(env, supervisor->buffer, &buffer) == napi_ok)
		napi_detach_arraybuffer(env, buffer);
	delete_reference(env, &supervisor->buffer);
	delete_reference(env, &supervisor->keeps_waiting);
	delete_reference(env, &supervisor->on_bell);
	delete_reference(env, &supervisor->on_ended);
	napi_close_handle_scope(env, scope);
}

void supervisors_close(struct environment *environment)
{
	while (environment->supervisors != NULL)
		end(environment->supervisors);
}

/* ---------------------------------------------------------------- what JavaScript calls */

/** The supervisor of a call, or NULL where it has been closed; and the call's numbers. */
static struct supervisor *supervisor_of(napi_env env, napi_callback_info info, double *numbers, size_t n)
{
	napi_value values[2];
	size_t count = n;
	void *data;

	napi_get_cb_info(env, info, &count, values, NULL, &data);
	for (size_t i = 0; i < n; i++) {
		numbers[i] = 0;
		napi_get_value_double(env, values[i], &numbers[i]);
	}
	struct supervisor *supervisor = data;
	return supervisor->closed ? NULL : supervisor;
}

static napi_value number(napi_env env, double value)
{
	napi_value result;

	napi_create_double(env, value, &result);
	return result;
}

/** next(nanoseconds): a slot that has been posted, looked for that long; or -1. */
static napi_value next(napi_env env, napi_callback_info info)
{
	double spin;
	struct supervisor *supervisor = supervisor_of(env, info, &spin, 1);

	return number(env, supervisor == NULL ? -1 : take_spinning(supervisor, (uint64_t)spin));
}

/** answer(slot): what is in it is for the lwp to do. */
static napi_value answer(napi_env env, napi_callback_info info)
{
	double i;
	struct supervisor *supervisor = supervisor_of(env, info, &i, 1);

	if (supervisor == NULL)
		return NULL;
	volatile uint32_t *state = &slot_of(supervisor, (unsigned)i)->sl_state;
	supervisor->channel->ch_processor = (uint32_t)sched_getcpu();
	if (__atomic_exchange_n(state, SLOT_ANSWER, __ATOMIC_SEQ_CST) == SLOT_ASLEEP)
		syscall(SYS_futex, state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	return NULL;
}

/** release(slot): nobody has it any more, as its process has ended or runs another program. */
static napi_value release(napi_env env, napi_callback_info info)
{
	double slot;
	struct supervisor *supervisor = supervisor_of(env, info, &slot, 1);

	if (supervisor == NULL)
		return NULL;
	unsigned i = (unsigned)slot;
	struct channel *channel = supervisor->channel;
	__atomic_store_n(&slot_of(supervisor, i)->sl_pid, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot_of(supervisor, i)->sl_state, SLOT_FREE, __ATOMIC_SEQ_CST);
	__atomic_store_n(&channel->ch_owners[i], 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&channel->ch_free, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&channel->ch_waiting, __ATOMIC_SEQ_CST) > 0)
		syscall(SYS_futex, &channel->ch_free, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	return NULL;
}

/** watch(pid): onEnded tells of its end. 0 or -errno. */
static napi_value watch(napi_env env, napi_callback_info info)
{
	double pid;
	struct supervisor *supervisor = supervisor_of(env, info, &pid, 1);

	if (supervisor == NULL)
		return number(env, -ECANCELED);
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (pidfd < 0)
		return number(env, -errno);
	struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = (uint64_t)pidfd << 32 | (uint32_t)pid}};
	if (epoll_ctl(supervisor->epfd, EPOLL_CTL_ADD, pidfd, &event) != 0) {
		int error = errno;
		close(pidfd);
		return number(env, -error);
	}
	return number(env, 0);
}

/** hold(on): whether the event loop is to stay alive for what is watched. */
static napi_value hold(napi_env env, napi_callback_info info)
{
	double on;
	struct supervisor *supervisor = supervisor_of(env, info, &on, 1);

	if (supervisor == NULL)
		return NULL;
	if (on != 0)
		uv_ref((uv_handle_t *)&supervisor->poll);
	else
		uv_unref((uv_handle_t *)&supervisor->poll);
	return NULL;
}

/** clock(): nanoseconds, as rows measure them. */
static napi_value now(napi_env env, napi_callback_info info)
{
	struct supervisor *supervisor = supervisor_of(env, info, NULL, 0);

	return number(env, supervisor == NULL ? 0 : rows_clock(supervisor));
}

static napi_value close_supervisor(napi_env env, napi_callback_info info)
{
	struct supervisor *supervisor = supervisor_of(env, info, NULL, 0);

	if (supervisor != NULL)
		end(supervisor);
	return NULL;
}

static void collected(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	let_go(data);
}

static napi_ref reference(napi_env env, napi_value value)
{
	napi_ref result;

	napi_create_reference(env, value, 1, &result);
	return result;
}

static int make_life(struct supervisor *supervisor)
{
	struct stat about;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return 0;
	close(ends[0]); /* programs open it themselves */
	supervisor->life = ends[1];
	if (fstat(ends[1], &about) != 0)
		return 0;
	supervisor->channel->ch_life = ends[1];
	supervisor->channel->ch_life_inode = (uint32_t)about.st_ino;
	return 1;
}

/** The limit of files is about others than this memory: for a moment it may be so long. */
static int set_length(int fd, rlim_t length)
{
	struct rlimit was, more;
	int error;

	if (getrlimit(RLIMIT_FSIZE, &was) != 0 || length <= was.rlim_cur)
		return ftruncate(fd, (off_t)length);
	more = (struct rlimit){.rlim_cur = was.rlim_max, .rlim_max = was.rlim_max};
	setrlimit(RLIMIT_FSIZE, &more);
	error = length <= was.rlim_max ? ftruncate(fd, (off_t)length) : (errno = EFBIG, -1);
	setrlimit(RLIMIT_FSIZE, &was);
	return error;
}

/** The descriptors and the memory. 0 or -errno; what was made is the caller's to let go of. */
static int make(struct supervisor *supervisor)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = BELL}};

	supervisor->memfd = memfd_create("libcr", MFD_CLOEXEC);
	supervisor->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	supervisor->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (supervisor->memfd < 0 || supervisor->bell < 0 || supervisor->epfd < 0)
		return -errno;
	if (set_length(supervisor->memfd, CHANNEL_SIZE) != 0 || epoll_ctl(supervisor->epfd, EPOLL_CTL_ADD, supervisor->bell, &event) != 0)
		return -errno;
	supervisor->channel = mmap(NULL, CHANNEL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, supervisor->memfd, 0);
	if (supervisor->channel == MAP_FAILED)
		return -errno;
	if (!make_life(supervisor))
		return -errno;
	supervisor->channel->ch_magic = CHANNEL_MAGIC;
	supervisor->channel->ch_supervisor = getpid();
	rows_of(supervisor)->rh_since = __builtin_ia32_rdtsc();
	return 0;
}

static void unmake(struct supervisor *supervisor)
{
	for (int i = 0; i < 4; i++) {
		int fd = (int[]){supervisor->memfd, supervisor->bell, supervisor->epfd, supervisor->life}[i];
		if (fd >= 0)
			close(fd);
	}
	if (supervisor->channel != NULL && supervisor->channel != MAP_FAILED)
		munmap(supervisor->channel, CHANNEL_SIZE);
	free(supervisor);
}

/** The handles, all of which may be begun. 0 or an error of libuv's. */
static int begin(struct supervisor *supervisor)
{
	struct environment *environment = supervisor->environment;
	int error = uv_poll_init(environment->loop, &supervisor->poll, supervisor->epfd);

	if (error)
		return error;
	uv_prepare_init(environment->loop, &supervisor->prepare);
	uv_check_init(environment->loop, &supervisor->check);
	supervisor->poll.data = supervisor->prepare.data = supervisor->check.data = supervisor;
	uv_poll_start(&supervisor->poll, UV_READABLE, on_readable);
	uv_prepare_start(&supervisor->prepare, on_prepare);
	uv_check_start(&supervisor->check, on_check);
	uv_unref((uv_handle_t *)&supervisor->poll);
	uv_unref((uv_handle_t *)&supervisor->prepare);
	uv_unref((uv_handle_t *)&supervisor->check);
	return 0;
}

static napi_value failed(napi_env env, struct supervisor *supervisor, int error)
{
	unmake(supervisor);
	return number(env, error);
}

napi_value supervise(napi_env env, napi_callback_info info)
{
	napi_value values[3], object, buffer;
	size_t count = 3;
	void *data, *waiting;

	napi_get_cb_info(env, info, &count, values, NULL, &data);
	struct environment *environment = data;
	struct supervisor *supervisor = calloc(1, sizeof *supervisor);
	if (supervisor == NULL)
		return number(env, -ENOMEM);
	supervisor->environment = environment;
	supervisor->memfd = supervisor->bell = supervisor->epfd = supervisor->life = -1;
	int error = environment->closing ? -ECANCELED : make(supervisor);
	uint64_t then = nanoseconds();
	if (error)
		return failed(env, supervisor, error);
	if (napi_create_external_arraybuffer(env, supervisor->channel, CHANNEL_SIZE, unmap, NULL, &buffer) != napi_ok)
		return failed(env, supervisor, -ENOTSUP);
	struct channel *channel = supervisor->channel;
	supervisor->channel = NULL; /* from here on it is the buffer's to unmap */
	if ((error = begin(supervisor)) != 0)
		return failed(env, supervisor, error);
	supervisor->channel = channel;
	supervisor->holds = HANDLES + 1;
	environment->open_handles += HANDLES;
	supervisor->next = environment->supervisors;
	environment->supervisors = supervisor;
	napi_get_typedarray_info(env, values[2], NULL, NULL, &waiting, NULL, NULL);
	supervisor->waiting = waiting;
	supervisor->keeps_waiting = reference(env, values[2]);
	supervisor->on_bell = reference(env, values[0]);
	supervisor->on_ended = reference(env, values[1]);
	supervisor->buffer = reference(env, buffer);

	const struct {
		const char *name;
		napi_callback function;
	} functions[] = {
	    {"next", next}, {"answer", answer}, {"release", release}, {"watch", watch}, {"hold", hold}, {"clock", now}, {"close", close_supervisor},
	};
	napi_create_object(env, &object);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		napi_value function;
		napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, supervisor, &function);
		napi_set_named_property(env, object, functions[i].name, function);
	}
	napi_set_named_property(env, object, "memory", buffer);
	napi_set_named_property(env, object, "turns", number(env, turns_a_microsecond()));
	find_cycle(supervisor, then);
	napi_set_named_property(env, object, "memfd", number(env, supervisor->memfd));
	napi_set_named_property(env, object, "bell", number(env, supervisor->bell));
	napi_add_finalizer(env, object, supervisor, collected, NULL, NULL);
	return object;
}
