/*
 * processes.c - a recording of several processes: each that is made, and each program that one goes on with, has a stream of its own in the file, which the event names.
 * A replay makes processes, too, and each goes by its own stream; who has waited for a child waits for that child's replay.
 */
#include "record.h"
#include "os/os.h" /* core's */
#include "own.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/wait.h>

#define CHILDREN 256
#define NO_RANDOMIZE 0x0040000 /* personality(2): ADDR_NO_RANDOMIZE */

uint32_t process_stream, process_made, process_next;
static struct child {
	int recorded, now;
} children[CHILDREN];

/** What is of one process, while its vfork's child is out. */
struct aside {
	struct log_aside log;
	struct read_aside read;
	struct child children[CHILDREN];
	uint8_t shown[SHOWN_DESCRIPTORS];
	uint32_t stream, made, next;
};

/* ------------------------------------------------ options */

void record_begin_fixed(char **argv, char **environment)
{
	const long persona = kernel_call(SYS_personality, 0xffffffff);

	if (persona & NO_RANDOMIZE)
		return;
	if (kernel_call(SYS_personality, persona | NO_RANDOMIZE) < 0 || !(kernel_call(SYS_personality, 0xffffffff) & NO_RANDOMIZE))
		program_fail(125, "record", "the kernel does not let addresses be fixed (personality)");
	launcher_run(argv, environment);
	program_fail(125, "record", "can't begin");
}

void record_open(const char *path)
{
	record_mode = RECORD_WRITES;
	log_create(path);
}

void record_go_on(uint32_t stream, uint32_t output, int fd)
{
	record_mode = RECORD_WRITES;
	log_inherit(fd);
	log_go_on(stream);
	shown_begin(output);
}

static void replay_stream(struct lwp *lwp, uint32_t stream)
{
	process_stream = stream;
	log_read(stream);
	lwp->lwp_proc->p_pid = lwp->lwp_tid = image_find_header()->hd_pid;
}

void replay_open(const char *path)
{
	record_mode = RECORD_REPLAYS;
	lwkt_os_map_from = OWN_MEMORY_FROM;
	log_open(path, -1);
	log_share_new(-1);
	log_head->rh_writer = (uint32_t)kernel_call(SYS_getpid);
	replay_stream(program_proc.p_main, RECORD_HEAD_SIZE / RECORD_PAGE);
}

void replay_go_on(uint32_t stream, int memory, int fd)
{
	record_mode = RECORD_REPLAYS;
	lwkt_os_map_from = OWN_MEMORY_FROM;
	log_open("replay", fd);
	log_share_new(memory);
	replay_stream(program_proc.p_main, stream);
}

const char *record_option(char *buffer, size_t size)
{
	struct text text;

	if (record_mode != RECORD_WRITES)
		return NULL;
	text_begin(&text, buffer, size);
	text_add(&text, "--record-next=%u,%u,%d", process_next, shown_word(), log_fd);
	return buffer;
}

/* ------------------------------------------------ fork */

void record_forks(void)
{
	if (record_mode == RECORD_WRITES)
		process_made = log_new_stream(false);
}

void record_forked(struct lwp *lwp, int parent)
{
	const struct record_header header = {.hd_pid = lwp->lwp_proc->p_pid, .hd_parent = parent};

	process_next = 0; /* that is its parent's */
	if (record_mode == RECORD_WRITES) {
		log_go_on(process_made);
		image_header(&header, NULL, NULL, "");
	} else if (record_mode == RECORD_REPLAYS) {
		memset(children, 0, sizeof(children));
		replay_stream(lwp, process_made);
		replay_look_ahead(lwp);
	}
}

void *record_vforks(void)
{
	struct aside *aside;

	if (!record_mode)
		return NULL;
	record_forks();
	aside = lwkt_os_alloc(sizeof(*aside));
	if (!aside)
		program_fail(125, record_mode == RECORD_WRITES ? "record" : "replay", "there is no memory");
	log_put_aside(&aside->log);
	log_put_aside_read(&aside->read);
	memcpy(aside->children, children, sizeof(children));
	shown_put_aside(aside->shown);
	aside->stream = process_stream;
	aside->made = process_made;
	aside->next = process_next;
	return aside;
}

void record_vfork_over(void *of)
{
	const struct aside *aside = of;

	if (!aside)
		return;
	log_again(&aside->log);
	log_read_again(&aside->read);
	memcpy(children, aside->children, sizeof(children));
	shown_again(aside->shown);
	process_stream = aside->stream;
	process_made = aside->made;
	process_next = aside->next;
	lwkt_os_free(of);
}

void process_killed(void)
{
	const long pid = kernel_call(SYS_getpid);

	if ((uint32_t)pid != log_head->rh_writer && !log_ended())
		kernel_call(SYS_kill, pid, SIGKILL);
}

static void note_child(int recorded, int now)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (!children[i].recorded) {
			children[i].recorded = recorded;
			children[i].now = now;
			return;
		}
}

static uint64_t clone_word(const struct trapframe *tf, unsigned i)
{
	uint64_t word;

	return copyin(&word, tf->tf_rdi + 8 * i, 8) ? 0 : word;
}

/** A process that the recording has, too; or the error that there was. */
long process_fork(struct lwp *lwp, struct trapframe *tf, const struct record *event)
{
	uint64_t flags = tf->tf_number == SYS_clone ? tf->tf_rdi : tf->tf_number == SYS_vfork ? CLONE_VM | CLONE_VFORK : 0, ctid = tf->tf_r10, ptid = tf->tf_rdx;
	uint64_t stack = tf->tf_number == SYS_clone ? tf->tf_rsi : 0, tls = tf->tf_r8;
	const int recorded = (int)event->re_result;
	long pid;

	if (recorded < 0)
		return event->re_result;
	if (tf->tf_number == SYS_clone3) {
		flags = clone_word(tf, 0);
		ctid = clone_word(tf, 2);
		ptid = clone_word(tf, 3);
		stack = clone_word(tf, 5) ? clone_word(tf, 5) + clone_word(tf, 6) : 0;
		tls = clone_word(tf, 7);
	}
	if (flags & CLONE_PARENT_SETTID)
		user_store32((uint32_t *)ptid, (uint32_t)recorded);
	if (!event->re_stream) {
		print(2, "libcr: replay: process %d was not recorded\n", recorded);
		return recorded;
	}
	process_made = event->re_stream;
	if ((flags & (CLONE_CHILD_SETTID | CLONE_VM)) == (CLONE_CHILD_SETTID | CLONE_VM))
		user_store32((uint32_t *)ctid, (uint32_t)recorded);
	pid = program_fork(lwp, tf, SIGCHLD | (flags & (CLONE_VM | CLONE_VFORK | CLONE_SETTLS)), stack, tls);
	if (pid < 0)
		replay_fail("a process can't be made");
	if (pid > 0) {
		note_child(recorded, (int)pid);
		return recorded;
	}
	if (flags & CLONE_CHILD_SETTID)
		user_store32((uint32_t *)ctid, (uint32_t)recorded);
	return 0;
}

#define NOT_KNOWN (-1)

/** As wait4 has it, not stopped, nor going on: whether it is of one that has ended. */
static bool has_ended(uint64_t address, int *status)
{
	if (!address || copyin(status, address, sizeof(*status)))
		*status = NOT_KNOWN;
	return *status == NOT_KNOWN || WIFEXITED(*status) || WIFSIGNALED(*status);
}

/** The pid that waitid tells of one that has ended; 0. */
static int read_info(uint64_t address, int *status)
{
	siginfo_t info;

	if (copyin(&info, address, sizeof(info)) || !info.si_pid)
		return 0;
	*status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) : info.si_status;
	return info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED ? info.si_pid : 0;
}

/** Nobody reads what the replay writes: by that signal, as any program that only writes. */
static void end_unread(void)
{
	const struct sigact by_default = {0};
	const uint64_t none = 0;

	kernel_call(SYS_rt_sigaction, SIGPIPE, &by_default, NULL, 8);
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	kernel_call(SYS_kill, kernel_call(SYS_getpid), SIGPIPE);
}

/** A child's replay has ended as `now` says, and the child had as `recorded` does. One that differs by itself has said so. */
static void compare_ends(int pid, int recorded, int now)
{
	if (recorded == NOT_KNOWN || !WIFEXITED(recorded))
		return;
	if (WIFSIGNALED(now) && WTERMSIG(now) == SIGPIPE)
		end_unread();
	if (WIFSIGNALED(now))
		print(2, "libcr: replay: process %d has ended by itself, as is recorded, but its own part goes not so far: the recording is damaged\n", pid);
	if (WIFSIGNALED(now) || (WEXITSTATUS(now) == 125 && WEXITSTATUS(recorded) != 125))
		__atomic_fetch_or(&log_head->rh_replay, REPLAY_DIFFERS, __ATOMIC_SEQ_CST);
}

/** A child has ended, as the program is told: its replay ends, too. */
void process_waited(const struct trapframe *tf, const struct record *event)
{
	int pid = 0, recorded = NOT_KNOWN, now = 0;

	if (tf->tf_number == SYS_wait4)
		pid = event->re_result > 0 && has_ended(tf->tf_rsi, &recorded) ? (int)event->re_result : 0;
	else if (tf->tf_number == SYS_waitid && !event->re_result && tf->tf_rdx && !(tf->tf_r10 & WNOWAIT))
		pid = read_info(tf->tf_rdx, &recorded);
	for (unsigned i = 0; pid && i < CHILDREN; i++)
		if (children[i].recorded == pid) {
			children[i].recorded = 0;
			kernel_call(SYS_wait4, children[i].now, &now, 0, NULL);
			compare_ends(pid, recorded, now);
			return;
		}
}

/* ------------------------------------------------ execve */

void process_exec(struct lwp *lwp, const struct record *event)
{
	static char option[64], launcher[32];
	const char *const argv[] = {"libcr", option, launcher_descriptor() < 0 ? NULL : launcher, NULL};
	static const char *const environment[] = {NULL};
	struct text text;

	if (!event->re_stream)
		replay_fail("what the process runs from here on was not recorded");
	text_begin(&text, option, sizeof(option));
	text_add(&text, "--replay-next=%u,%d,%d", event->re_stream, log_shared_memory(), log_fd);
	text_begin(&text, launcher, sizeof(launcher));
	text_add(&text, "--launcher=%d", launcher_descriptor());
	program_signals_leave(lwp);
	own_pass_on(true);
	record_tsc_exec(true);
	launcher_run(argv, environment);
	replay_fail("libcr can't be run again");
}
