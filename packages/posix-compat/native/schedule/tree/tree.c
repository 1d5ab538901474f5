/*
 * tree.c - virtual time of a tree of processes: a page that all of them share says to which time it has come, and of each whether it waits, and until when. Time moves to the
 * first timer of all, once none of them has anything to do. So a process that waits with a timeout for one that sleeps sees what it would see with a clock.
 *
 * Each has a number of its own still, which moves as it reads clocks: what a process reads does not hang on what others do at the same moment.
 *
 * Invariants:
 *  - The tree's time moves only while all members wait; to a member that runs it stands still. (But for one that computes for PATIENCE of real time.)
 *  - A child is a member before its parent goes on.
 *  - A member that waits looks for what comes from outside again and again, and counts that: what was sent before the mover looked has been seen when each has looked twice.
 */
#include "tree.h"

#include "os/os.h" /* core's */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "own.h"

#define RESERVED_NS 1000000000ull   /* as long at most: the fork may have failed */
#define STANDS_NS 20000000ull       /* of real time, before that is believed: who ends a kernel thread of its own waits for it, too */
#define WATCHED_NS 5000000ull       /* for so long the others look more often for it, as they have mostly seen all by then */
#define PATIENCE 10000000000ull     /* ns of real time that one may compute, and nobody does anything else; then the others' time moves */

struct tree *tree;
static uint32_t reserved = NONE;

/** How far a mover has come. */
static uint64_t looked[MEMBERS]; /* the count with which a member has looked twice since the last event; 0: it has not been asked */
static uint64_t stood[MEMBERS];  /* real time since which one stands, as far as is known and since the last event; or 0 */
static uint64_t events;
static uint64_t waits_since;     /* real time, and since the last event; 0: it does not wait for others */

uint64_t tree_real_time(void)
{
	uint64_t time[2] = {0};

	kernel_call(SYS_clock_gettime, 1 /* CLOCK_MONOTONIC */, time);
	return time[0] * 1000000000u + time[1];
}

static struct member *own(void)
{
	struct member *member = tree && options.clock_member < MEMBERS ? &tree->members[options.clock_member] : NULL;

	return member && member->process == (uint32_t)program_proc.p_pid ? member : NULL;
}

static void tell(void)
{
	__atomic_add_fetch(&tree->events, 1, __ATOMIC_SEQ_CST);
}

static uint32_t join(uint32_t process)
{
	for (uint32_t i = 0; tree && i < MEMBERS; i++) {
		struct member *member = &tree->members[i];
		uint32_t none = 0;

		if (__atomic_compare_exchange_n(&member->process, &none, RESERVED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			member->state = RUNS;
			member->next = NEVER;
			member->since = process & RESERVED ? tree_real_time() : 0;
			__atomic_store_n(&member->process, process, __ATOMIC_SEQ_CST);
			tell();
			return i;
		}
	}
	return NONE; /* it has a time of its own then */
}

/** Its parent has said which it is, if it has one here. */
void tree_begin(void)
{
	long at;

	if (options.clock_memory < 0)
		options.clock_memory = own_move_inherited((int)kernel_call(SYS_memfd_create, "clock", 0));
	else
		own_keep_inherited(options.clock_memory);
	if (options.clock_memory < 0 || out_set_length(options.clock_memory, sizeof(struct tree)))
		return;
	at = kernel_call(SYS_mmap, lwkt_os_map_place(sizeof(struct tree)), sizeof(struct tree), PROT_READ | PROT_WRITE, MAP_SHARED, options.clock_memory, 0);
	if (at < 0 && at > -4096)
		return;
	tree = (struct tree *)at;
	if (options.clock_member == NONE)
		options.clock_member = join((uint32_t)program_proc.p_pid);
}

bool tree_has(void)
{
	return own();
}

uint64_t tree_now(void)
{
	return tree ? __atomic_load_n(&tree->now, __ATOMIC_SEQ_CST) : 0;
}

/* ---------------------------------------------------------------- children */

void tree_forks(void)
{
	reserved = join((uint32_t)program_proc.p_pid | RESERVED);
}

void tree_forked(void)
{
	options.clock_member = reserved;
	if (tree && reserved != NONE)
		__atomic_store_n(&tree->members[reserved].process, (uint32_t)program_proc.p_pid, __ATOMIC_SEQ_CST);
}

/** In a vfork's child, while its parent stands. */
void tree_vforked(struct proc *proc)
{
	proc->p_clock_member = join((uint32_t)proc->p_pid);
	order_vforked(proc->p_clock_member);
}

/* ---------------------------------------------------------------- time */

void tree_waits(uint64_t next, bool helped)
{
	struct member *member = own();

	if (!member)
		return;
	waits_since = 0;
	member->next = next;
	member->helped = helped;
	member->looks++;
	__atomic_store_n(&member->state, WAITS, __ATOMIC_SEQ_CST);
}

void tree_runs(void)
{
	struct member *member = own();

	if (member) {
		member->next = NEVER;
		__atomic_store_n(&member->state, RUNS, __ATOMIC_SEQ_CST);
		tell();
	}
	waits_since = 0;
}

bool tree_looks(void)
{
	struct member *member = own();

	if (member)
		__atomic_add_fetch(&member->looks, 1, __ATOMIC_SEQ_CST);
	return tree && tree_real_time() < __atomic_load_n(&tree->watched, __ATOMIC_SEQ_CST);
}

/** What is in that file of a process' in /proc, or of a thread's of its. How many bytes. */
static long read_about(uint32_t process, const char *thread, const char *file, char *to, uint64_t room)
{
	char path[64];
	struct text text;
	long fd, n;

	text_begin(&text, path, sizeof(path));
	text_add(&text, thread ? "/proc/%u/task/%s/%s" : "/proc/%u%s/%s", process, thread ? thread : "", file);
	fd = kernel_call(SYS_open, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : kernel_call(SYS_read, fd, to, room);
	kernel_call(SYS_close, fd);
	return n;
}

/**
 * Of a process' thread, as ps has it; 0: there is none. Who is about to sleep, and looks a last time whether it has to, is said to sleep already (prepare_to_wait of kernel/sched/wait.c;
 * do_wait takes a child away so): whether it is on a processor `syscall` says, where that may be read, and asking takes up to some ms. surely: it is asked.
 */
static char state_of(uint32_t process, const char *thread, bool surely)
{
	char line[256], state;
	long n = read_about(process, thread, "stat", line, sizeof(line) - 1);

	while (n > 0 && line[n - 1] != ')')
		n--;
	state = n > 0 ? line[n + 1] : 0;
	return surely && state == 'S' && read_about(process, thread, "syscall", line, 1) > 0 && line[0] == 'r' ? 'R' : state;
}

struct entry {
	uint64_t number, offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static bool is_number(const char *name, uint32_t number)
{
	uint64_t its = 0;

	while (*name >= '0' && *name <= '9')
		its = its * 10 + (uint64_t)(*name++ - '0');
	return its == number;
}

/** Whether that holds of all of its threads, but for the first. */
static bool all_helpers(uint32_t process, bool (*holds)(uint32_t process, const char *thread))
{
	static char entries[2048] __attribute__((aligned(8)));
	char path[32];
	struct text text;
	bool all = true;
	long fd, n = 0;

	text_begin(&text, path, sizeof(path));
	text_add(&text, "/proc/%u/task", process);
	fd = kernel_call(SYS_open, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && all && (n = kernel_call(SYS_getdents64, fd, entries, sizeof(entries))) > 0)
		for (const struct entry *entry = (struct entry *)entries; (char *)entry < entries + n; entry = (struct entry *)((char *)entry + entry->size))
			all = all && (entry->name[0] == '.' || is_number(entry->name, process) || holds(process, entry->name));
	kernel_call(SYS_close, fd);
	return all;
}

static bool waits(uint32_t process, const char *thread)
{
	return strchr("STt", state_of(process, thread, true));
}

static bool helpers_stand(uint32_t process)
{
	return all_helpers(process, waits);
}

/** Who waits for it is to see that first. */
static void ends(struct member *member, uint32_t process)
{
	__atomic_compare_exchange_n(&member->process, &process, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	tell();
}

static bool has_ended(char state)
{
	return !state || state == 'Z' || state == 'X';
}

/** Whether one that does not say that it waits does so all the same, and has for a while: in a call that the kernel makes, or as it is stopped. One that has ended is none any
 *  more. */
static bool stands(uint32_t i, uint32_t process)
{
	struct member *member = &tree->members[i];
	const uint64_t since = stood[i];
	char state;

	if (process & RESERVED) {
		if (tree_real_time() - member->since < RESERVED_NS)
			return false;
		state = 0;
	} else {
		state = state_of(process, NULL, false);
	}
	stood[i] = 0;
	if (state == 'S' || state == 'T' || state == 't') {
		if (!helpers_stand(process) || member->state != RUNS)
			return false;
		stood[i] = since ?: tree_real_time();
		return tree_real_time() - stood[i] >= STANDS_NS;
	}
	if (!has_ended(state))
		return false;
	ends(member, process);
	return false;
}

/** Whether one that waits has nothing to do before `to`, and has looked. */
static bool waits_for(uint32_t i, uint32_t process, uint64_t to)
{
	struct member *member = &tree->members[i];
	const uint64_t looks = __atomic_load_n(&member->looks, __ATOMIC_SEQ_CST);

	if (member->next < to || (member->next == to && i < options.clock_member))
		return false;
	if (!looked[i] && member->helped && !helpers_stand(process))
		return false;
	if (!looked[i])
		looked[i] = looks + 2;
	return looks >= looked[i];
}

/** Whether that one has nothing to do before `to`. */
static bool lets(uint32_t i, uint64_t to)
{
	struct member *member = &tree->members[i];
	const uint32_t process = __atomic_load_n(&member->process, __ATOMIC_SEQ_CST);

	if (!process)
		return true;
	if (__atomic_load_n(&member->state, __ATOMIC_SEQ_CST) == RUNS) {
		if (stands(i, process))
			return true;
		events = 0; /* all are to look again after that */
		return false;
	}
	if (waits_for(i, process, to))
		return true;
	if (has_ended(state_of(process, NULL, false)))
		ends(member, process);
	return false;
}

bool tree_moves(uint64_t to)
{
	static uint64_t last_event;
	bool all = true;

	if (!own())
		return true;
	if (!waits_since) {
		waits_since = tree_real_time();
		events = 0;
		__atomic_store_n(&tree->watched, waits_since + WATCHED_NS, __ATOMIC_SEQ_CST);
	}
	if (events != __atomic_load_n(&tree->events, __ATOMIC_SEQ_CST)) {
		if (last_event != __atomic_load_n(&tree->events, __ATOMIC_SEQ_CST))
			waits_since = tree_real_time();
		last_event = events = __atomic_load_n(&tree->events, __ATOMIC_SEQ_CST);
		memset(looked, 0, sizeof(looked));
		memset(stood, 0, sizeof(stood));
	}
	for (uint32_t i = 0; i < MEMBERS; i++)
		if (i != options.clock_member && !lets(i, to))
			all = false;
	all = all && events == __atomic_load_n(&tree->events, __ATOMIC_SEQ_CST);
	if (!all && tree_real_time() - waits_since < PATIENCE)
		return false;
	tree_runs();
	for (uint64_t now = tree_now(); now < to && !__atomic_compare_exchange_n(&tree->now, &now, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);)
		;
	return true;
}

/* ---------------------------------------------------------------- for order.c */

bool tree_child_has_come(void)
{
	return reserved == NONE || __atomic_load_n(&tree->members[reserved].process, __ATOMIC_SEQ_CST) != ((uint32_t)program_proc.p_pid | RESERVED);
}

void tree_child_is_gone(void)
{
	ends(&tree->members[reserved], (uint32_t)program_proc.p_pid | RESERVED);
}

static bool is_none(uint32_t process, const char *thread)
{
	(void)process, (void)thread;
	return false;
}

char tree_state(uint32_t i)
{
	const struct member *member = &tree->members[i];
	const uint32_t process = __atomic_load_n(&member->process, __ATOMIC_SEQ_CST);
	char state;

	if (process & RESERVED)
		return tree_real_time() - member->since < RESERVED_NS ? 'R' : 0;
	state = process ? state_of(process, NULL, false) : 0;
	return state == 'Z' && !all_helpers(process, is_none) ? 'R' : state;
}

bool tree_stands(uint32_t i)
{
	const uint32_t process = __atomic_load_n(&tree->members[i].process, __ATOMIC_SEQ_CST);
	const char state = tree_state(i);

	return !process || has_ended(state) || ((state == 'S' || state == 'T' || state == 't') && helpers_stand(process));
}

bool tree_helpers_stand(void)
{
	return helpers_stand((uint32_t)program_proc.p_pid);
}

void tree_ended(uint32_t i, uint32_t process)
{
	siginfo_t info;

	if (process)
		ends(&tree->members[i], process);
	/* Its parent has been told when the kernel's lock of processes has been let go: this takes it, too. */
	kernel_call(SYS_waitid, 0 /* P_ALL */, 0, &info, WEXITED | WNOHANG | WNOWAIT, NULL);
}
