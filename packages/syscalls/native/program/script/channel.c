/*
 * channel.c - the channel's end in the program: slots are taken, posted and waited for (channel.h).
 *
 * Whoever waits for an answer waits as for a futex that processes share: so the other lwps of its rfork go on, and a program's only lwp waits in the kernel. Every
 * half a second he looks whether the supervisor is still there.
 *
 * The head is mapped when the program begins, and so are the first slots; others when they are needed: a program may lock all its memory, or have little room.
 *
 * Invariant: a slot is mapped once one of its group has been taken here. What processes share is changed by atomic operations.
 */
#include "script.h"
#include "own.h"
#include "os/os.h" /* core's */

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <linux/futex.h>

unsigned lwkt_runnable(void); /* core's lwkt.h, whose struct sysmsg is another one: the running thread counts, too */

#define LOOKS_NS 500000000 /* while he waits */
#define PROCESSOR_SEGMENT 0x7b
#define GROUP 32 /* slots that are mapped together */

_Static_assert(CHANNEL_CALLS == CALLS && sizeof(struct channel) <= CHANNEL_SLOTS_AT && sizeof(struct slot) <= SLOT_DATA, "channel.h");

static const uint8_t nothing[CALLS];
const volatile uint8_t *script_wants = nothing;
bool script_active;
static struct channel *channel;
static char *groups[CHANNEL_SLOTS / GROUP]; /* where they are mapped, or NULL */
static int memory = -1, bell = -1, life = -1;
static bool elsewhere; /* in another namespace of pids than the supervisor */
static uint32_t hint; /* a slot that may be free: one that was given back last is in the processor's cache */

long (*program_wait_word)(struct lwp *lwp, const volatile uint32_t *word, uint32_t value, const struct timespec *timeout, const char *wmesg, bool deaf);

/* ------------------------------------------------ the supervisor */

/** The first of a namespace is its pid 1, and no program of a supervisor's own namespace is. */
static bool is_elsewhere(const struct lwp *lwp) { return elsewhere || lwp->lwp_proc->p_pid == 1; }

static void find_namespace(void)
{
	struct stat about;

	elsewhere = channel->ch_namespace && !kernel_call(SYS_stat, "/proc/self/ns/pid", &about) && (uint32_t)about.st_ino != channel->ch_namespace;
}

static bool has_ended(int pid)
{
	struct pollfd polled = {.events = POLLIN};
	const long fd = kernel_call(SYS_pidfd_open, pid, 0);
	bool ended;

	if (fd < 0) /* the program may have no descriptor left */
		return kernel_call(SYS_kill, pid, 0) == -ESRCH;
	polled.fd = (int)fd;
	ended = kernel_call(SYS_poll, &polled, 1, 0) > 0; /* also before somebody has waited for it */
	kernel_call(SYS_close, fd);
	return ended;
}

/**
 * Where programs end with their supervisor the kernel kills them when a pipe of its is closed: each process has the other end, as its owner. Where that can't be had (/proc is not
 * there, or is another user's) it is noticed when it is asked something.
 */
static void end_with_supervisor(void)
{
	struct pollfd polled = {0};
	char path[48];
	struct stat about;
	struct text text;
	long fd;

	own_close(life); /* a parent's */
	life = -1;
	if (channel->ch_gone != GONE_KILL || channel->ch_life < 0 || elsewhere)
		return;
	text_begin(&text, path, sizeof(path));
	text_add(&text, "/proc/%d/fd/%d", channel->ch_supervisor, channel->ch_life);
	*text.at = 0;
	fd = kernel_call(SYS_open, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	if (kernel_call(SYS_fstat, fd, &about) || !S_ISFIFO(about.st_mode) || (uint32_t)about.st_ino != channel->ch_life_inode) {
		kernel_call(SYS_close, fd);
		return;
	}
	life = own_move((int)fd);
	kernel_call(SYS_fcntl, life, F_SETSIG, SIGKILL);
	kernel_call(SYS_fcntl, life, F_SETOWN, kernel_call(SYS_getpid));
	kernel_call(SYS_fcntl, life, F_SETFL, O_NONBLOCK | O_ASYNC);
	polled.fd = life;
	if (kernel_call(SYS_poll, &polled, 1, 0) > 0 && (polled.revents & POLLHUP)) /* before that */
		kernel_call(SYS_kill, kernel_call(SYS_getpid), SIGKILL);
}

void channel_forked(struct lwp *lwp)
{
	if (!lwp->lwp_proc->p_vforked_by) {
		elsewhere = is_elsewhere(lwp);
		if (script_active)
			end_with_supervisor();
	}
	if (script_active)
		lwp->lwp_proc->p_script = __atomic_add_fetch(&channel->ch_processes, 1, __ATOMIC_SEQ_CST);
}

/** Every process that asks it something notices, and does as it was told: so its wants stay where that is the end. */
static long is_gone(void)
{
	__atomic_exchange_n(&channel->ch_supervisor, 0, __ATOMIC_SEQ_CST);
	while (channel->ch_gone == GONE_KILL) {
		kernel_call(SYS_kill, kernel_call(SYS_getpid), SIGKILL);
		kernel_call(SYS_exit_group, 128 + SIGKILL); /* the first of a namespace is not killed by itself */
	}
	for (unsigned i = 0; i < CALLS; i++)
		channel->ch_wants[i] = 0;
	return -ESRCH;
}

/** 0, or is_gone's. Elsewhere its pid is another process', or nobody's: others say so. */
static long look_for_supervisor(const struct lwp *lwp)
{
	const int pid = channel->ch_supervisor;

	return !pid || (!is_elsewhere(lwp) && has_ended(pid)) ? is_gone() : 0;
}

/** Waits once. Whether a signal is there: from then on he is deaf, as it is to be taken when the call is over. */
static bool wait_once(struct lwp *lwp, const volatile uint32_t *word, uint32_t value, bool deaf, long *gone)
{
	const struct timespec timeout = {0, LOOKS_NS};

	if (program_wait_word(lwp, word, value, &timeout, "supervisor", deaf) == -ETIMEDOUT)
		*gone = look_for_supervisor(lwp);
	return lwp->lwp_ast & AST_SIGNAL;
}

/* ------------------------------------------------ slots */

static uint32_t place_of(const struct slot *slot) { return slot->sl_place; }

/** Where a group is mapped. NULL: there is no room for it. Another rfork may do the same. */
static char *map_group(uint32_t group)
{
	const long size = (long)GROUP * SLOT_SIZE, at = kernel_call(SYS_mmap, lwkt_os_map_place((size_t)size), size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, CHANNEL_SLOTS_AT + group * size);
	char *none = NULL;

	if (at < 0 && at > -4096)
		return NULL;
	kernel_call(SYS_madvise, at, size, MADV_DONTDUMP);
	if (__atomic_compare_exchange_n(&groups[group], &none, (char *)at, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return (char *)at;
	kernel_call(SYS_munmap, at, size);
	return none;
}

static struct slot *slot_at(uint32_t i)
{
	char *group = __atomic_load_n(&groups[i / GROUP], __ATOMIC_ACQUIRE) ?: map_group(i / GROUP);

	return group ? (struct slot *)(group + (uint64_t)(i % GROUP) * SLOT_SIZE) : NULL;
}

static struct slot *try_slot(uint32_t i, int32_t own)
{
	volatile int32_t *owner = &channel->ch_owners[i];
	struct slot *slot = *owner ? NULL : slot_at(i);
	int32_t none = 0;

	/* The page is there before it is taken. */
	if (!slot || slot->sl_state > SLOT_ANSWER || !__atomic_compare_exchange_n(owner, &none, own, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return NULL;
	slot->sl_place = i;
	return slot;
}

static struct slot *find_slot(int32_t own)
{
	const uint32_t first = __atomic_load_n(&hint, __ATOMIC_RELAXED);
	struct slot *slot = try_slot(first, own);

	for (uint32_t n = 0; n < CHANNEL_SLOTS && !slot; n++) {
		const uint32_t i = (first / GROUP * GROUP + n) % CHANNEL_SLOTS;

		if (n % GROUP == 0 && !slot_at(i))
			n += GROUP - 1; /* there is no room for these */
		else if (!channel->ch_owners[i])
			slot = try_slot(i, own);
	}
	return slot;
}

static int32_t owner_of(const struct lwp *lwp) { return is_elsewhere(lwp) ? -1 : lwp->lwp_proc->p_pid; }

/** All are taken: waits until one is given back. Whether a signal has come. */
static bool wait_for_slot(struct lwp *lwp, struct slot **slot, bool deaf, long *gone)
{
	uint32_t seen;
	bool signalled = false;

	__atomic_fetch_add(&channel->ch_waiting, 1, __ATOMIC_SEQ_CST);
	seen = channel->ch_free;
	*slot = find_slot(owner_of(lwp));
	if (!*slot)
		signalled = wait_once(lwp, &channel->ch_free, seen, deaf, gone);
	__atomic_fetch_sub(&channel->ch_waiting, 1, __ATOMIC_SEQ_CST);
	return signalled;
}

long channel_take(struct lwp *lwp, struct slot **slot, bool may_be_interrupted)
{
	bool signalled = false;
	long error = channel->ch_supervisor ? 0 : is_gone();

	*slot = error ? NULL : find_slot(owner_of(lwp));
	while (!*slot && !error && !(signalled && may_be_interrupted))
		signalled = wait_for_slot(lwp, slot, !may_be_interrupted, &error);
	if (!*slot)
		return error ?: -ERESTARTNOINTR;
	(*slot)->sl_state = SLOT_TAKEN;
	(*slot)->sl_cancel = 0;
	(*slot)->sl_process = lwp->lwp_proc->p_script;
	(*slot)->sl_own_pid = lwp->lwp_proc->p_pid;
	__atomic_store_n(&(*slot)->sl_pid, owner_of(lwp), __ATOMIC_RELEASE); /* last: from here on the process' number says whose it is */
	return error;
}

void channel_free(struct slot *slot)
{
	const uint32_t i = place_of(slot);

	slot->sl_pid = 0;
	__atomic_store_n(&slot->sl_state, SLOT_FREE, __ATOMIC_RELEASE);
	__atomic_store_n(&hint, i, __ATOMIC_RELAXED);
	__atomic_store_n(&channel->ch_owners[i], 0, __ATOMIC_SEQ_CST);
	if (!channel->ch_waiting)
		return;
	__atomic_fetch_add(&channel->ch_free, 1, __ATOMIC_SEQ_CST);
	kernel_call(SYS_futex, &channel->ch_free, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* ------------------------------------------------ asking */

/** The supervisor looks at the slot, soon. Whether it slept. */
static bool point_to(const struct slot *slot)
{
	const uint32_t i = place_of(slot);
	const uint64_t one = 1;

	__atomic_fetch_or(&channel->ch_pending[i / 32], 1u << i % 32, __ATOMIC_SEQ_CST);
	if (!channel->ch_asleep || !__atomic_exchange_n(&channel->ch_asleep, 0, __ATOMIC_SEQ_CST))
		return false;
	kernel_call(SYS_write, bell, &one, sizeof(one));
	return true;
}

static bool is_answered(const struct slot *slot)
{
	return __atomic_load_n(&slot->sl_state, __ATOMIC_ACQUIRE) == SLOT_ANSWER;
}

/** The processor that this runs on, as getcpu() has it: the kernel keeps it as a segment's limit, beside the number of its node. */
static uint32_t processor(void)
{
	uint32_t limit;

	__asm__("lsl %1, %0" : "=r"(limit) : "r"(PROCESSOR_SEGMENT));
	return limit & 0xfff;
}

/**
 * Whether to look for an answer before sleeping. A supervisor that is awake answers sooner than one could fall asleep and be woken; one that had to be rung does not, nor one that
 * waits for this very processor. Nobody else of the rfork is kept from running.
 */
static bool pays_to_look(bool rang) { return !rang && lwkt_runnable() <= 1 && channel->ch_processor != processor(); }

/** Whether it is answered before the lwp sleeps, which it is about to. */
static bool spin(struct slot *slot, bool rang)
{
	uint32_t posted = SLOT_POSTED;

	for (uint32_t turns = pays_to_look(rang) ? channel->ch_spin : 0; turns && !is_answered(slot); turns--)
		__builtin_ia32_pause();
	return !__atomic_compare_exchange_n(&slot->sl_state, &posted, SLOT_ASLEEP, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

static void cancel(struct slot *slot)
{
	slot->sl_cancel = 1;
	point_to(slot);
}

long channel_ask(struct lwp *lwp, struct slot *slot, bool cancels)
{
	bool deaf = !cancels;
	long gone = 0;

	__atomic_store_n(&slot->sl_state, SLOT_POSTED, __ATOMIC_SEQ_CST);
	if (spin(slot, point_to(slot)))
		return 0;
	while (!is_answered(slot) && !gone) {
		if (!wait_once(lwp, &slot->sl_state, SLOT_ASLEEP, deaf, &gone) || deaf || is_answered(slot))
			continue;
		cancel(slot);
		deaf = true;
	}
	return is_answered(slot) ? 0 : gone;
}

/* ------------------------------------------------ its beginning */

void script_open(int fd, int doorbell, uint32_t process)
{
	const long size = kernel_call(SYS_lseek, fd, 0, SEEK_END);
	const long at = size < CHANNEL_SIZE ? -EINVAL : kernel_call(SYS_mmap, lwkt_os_map_place(CHANNEL_SLOTS_AT), CHANNEL_SLOTS_AT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	memory = fd;
	if ((at < 0 && at > -4096) || !slot_at(0))
		program_fail(125, "--script", "its memory can't be mapped");
	channel = (struct channel *)at;
	if (channel->ch_magic != CHANNEL_MAGIC)
		program_fail(2, "--script", "no such memory, or another version's");
	rows_open(fd);
	find_namespace();
	program_proc.p_script = process ?: __atomic_add_fetch(&channel->ch_processes, 1, __ATOMIC_SEQ_CST);
	bell = doorbell;
	script_wants = channel->ch_wants;
	script_active = true;
	end_with_supervisor();
}
