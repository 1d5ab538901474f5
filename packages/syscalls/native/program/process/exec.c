/*
 * exec.c - execve: the program that follows is under libcr again, by way of the launcher, which is this process' executable. What libcr can't run
 * runs as it is, and libcr says so.
 */
#include "program.h"
#include "own.h"
#include "os/os.h" /* core's */

#include <fcntl.h>
#include <sys/mman.h>

#define OPTION_SIZE 28
#define NOWHERE -4096l /* a pointer to nothing */
#define LONG_SIZE 36     /* an option with a number of 64 bits */
#define OPTIONS_MAX (30 + 2 * SHIMS_MAX) /* words in front of the program's arguments */

/** All that is needed on the way, mapped, as a kernel stack is small. */
struct exec {
	size_t size;
	struct executable exe;
	char path[4096];
	char argv0[4096];
	char lineage[LONG_SIZE], clock[2 * LONG_SIZE];
	char stats[OPTION_SIZE], trace[OPTION_SIZE], rforks[OPTION_SIZE], metrics_first[OPTION_SIZE], metrics_before[OPTION_SIZE], launcher[OPTION_SIZE], sigmask[OPTION_SIZE], script[2 * OPTION_SIZE], record[3 * OPTION_SIZE];
	int counted; /* a descriptor, or -1 (metrics_hand_over) */
	uint64_t argv[];
};

static long count_words(uint64_t list)
{
	uint64_t word;

	for (long n = 0; list; n++) {
		if (copyin(&word, list + 8 * (uint64_t)n, 8))
			return -EFAULT;
		if (!word)
			return n;
	}
	return 0;
}

static uint64_t *add_option(uint64_t *at, char *buffer, const char *name, int value)
{
	struct text text;

	if (value < 0)
		return at;
	text_begin(&text, buffer, OPTION_SIZE);
	text_add(&text, "%s=%d", name, value);
	*at = (uint64_t)buffer;
	return at + 1;
}

static uint64_t *add_long(uint64_t *at, char *buffer, size_t size, const char *format, uint64_t value)
{
	struct text text;

	text_begin(&text, buffer, size);
	text_add(&text, format, (unsigned long)value);
	*at = (uint64_t)buffer;
	return at + 1;
}

static uint64_t *add_clock(uint64_t *at, struct exec *exec)
{
	const uint32_t member = curproc()->p_vforked_by ? curproc()->p_clock_member : options.clock_member;
	struct text text;

	text_begin(&text, exec->clock, sizeof(exec->clock));
	text_add(&text, options.clock_memory < 0 ? "--clock=%lu" : "--clock=%lu,%d,%u", (unsigned long)lwkt_os_clock(), options.clock_memory, member);
	*at = (uint64_t)exec->clock;
	return at + 1;
}

/** A child of vfork is another process than the one whose memory it has; else it is the same as before. */
static uint64_t *add_deterministic(uint64_t *at, struct exec *exec)
{
	if (!options.deterministic)
		return at;
	*at++ = (uint64_t) "--deterministic";
	at = add_long(at, exec->lineage, sizeof(exec->lineage), "--lineage=%lu", curproc()->p_vforked_by ? deterministic_child() : options.lineage);
	if (options.virtual_time) {
		*at++ = (uint64_t) "--time=virtual";
		at = add_clock(at, exec);
	}
	for (unsigned i = 0; i < SCHEDULE_WORDS; i++)
		if (options.schedule_words[i])
			*at++ = (uint64_t)options.schedule_words[i];
	return at;
}

/** The launcher's arguments: options, the program, and the program's own from the second on. */
static long build_arguments(struct exec *exec, const struct lwp *lwp, uint64_t argv, long argc)
{
	uint64_t *at = exec->argv;
	struct text text;

	*at++ = (uint64_t) "libcr";
	at = add_option(at, exec->stats, "--stats", options.stats);
	at = add_option(at, exec->trace, options.script_trace ? "--script-trace" : "--trace", options.trace);
	at = add_option(at, exec->rforks, "--rforks", (int)options.rforks);
	text_begin(&text, exec->sigmask, sizeof(exec->sigmask));
	text_add(&text, "--sigmask=%lx", (unsigned long)lwp->lwp_sigmask);
	*at++ = (uint64_t)exec->sigmask;
	at = add_deterministic(at, exec);
	if (options.trace_json)
		*at++ = (uint64_t) "--trace-format=json";
	if (options.policy) {
		*at++ = (uint64_t) "--policy";
		*at++ = (uint64_t)options.policy;
	}
	if (options.metrics) {
		*at++ = (uint64_t) "--metrics";
		*at++ = (uint64_t)options.metrics;
		at = add_option(at, exec->metrics_first, "--metrics-first", options.metrics_first);
		at = add_option(at, exec->metrics_before, "--metrics-before", exec->counted);
	}
	if (script_active) {
		text_begin(&text, exec->script, sizeof(exec->script));
		text_add(&text, "--script=%d,%d,%u", options.script[0], options.script[1], lwp->lwp_proc->p_script);
		*at++ = (uint64_t)exec->script;
	}
	at = add_option(at, exec->launcher, "--launcher", launcher_descriptor());
	if (record_option(exec->record, sizeof(exec->record)))
		*at++ = (uint64_t)exec->record;
	if (options.no_patch)
		*at++ = (uint64_t) "--no-patch";
	for (unsigned i = 0; i < shims_count; i++) {
		*at++ = (uint64_t) "--native-shim";
		*at++ = (uint64_t)options.shims[i];
	}
	*at++ = (uint64_t) "--exec";
	*at++ = (uint64_t) "";
	if (argc > 0 && copyin(at - 1, argv, 8))
		return -EFAULT;
	*at++ = (uint64_t) "--";
	*at++ = (uint64_t)exec->path;
	if (argc > 1 && copyin(at, argv + 8, 8 * (size_t)(argc - 1)))
		return -EFAULT;
	at[argc > 1 ? argc - 1 : 0] = 0;
	return 0;
}

/** Ignored is what the program ignores, and what is pending here waits in the kernel, which blocks all signals from now on: none is libcr's any more, and lost. */
static void give_signals(struct lwp *lwp)
{
	static const int ours[] = {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	struct sigact ignore = {.act_handler = 1 /* SIG_IGN */};

	program_signals_leave(lwp);
	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (lwp->lwp_proc->p_sigacts[ours[i]].act_handler == ignore.act_handler)
			kernel_call(SYS_rt_sigaction, ours[i], &ignore, NULL, 8);
}

/** To a program that runs without libcr. Whoever runs under it has the mask as an option. */
static long exec_as_it_is(const struct lwp *lwp, int dirfd, const char *path, uint64_t argv, uint64_t environment, int flags)
{
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &lwp->lwp_sigmask, NULL, 8);
	return kernel_call(SYS_execveat, dirfd, path, argv, environment, flags);
}

void (*program_execs)(bool begins);

static bool has_shims(void) { return shims_count || script_active; }

/** Whether what libcr can't run may run without it: neither a policy nor a shim would hold for it. */
static bool as_it_is(const char *path, const char *why)
{
	const char *end = policy_active ? "the policy could not hold for it" : has_shims() ? "no shim would be in front of it" : "it runs without libcr";

	print(2, "libcr: %s %s: %s\n", path, why, end);
	if (policy_active || has_shims())
		return false;
	record_escapes();
	return true;
}

static long exec_prepared(struct lwp *lwp, struct exec *exec, uint64_t argv, uint64_t environment)
{
	long error = examine(is_self_exe(exec->path) ? program_exe : exec->path, &exec->exe), argc = count_words(argv);

	if (argc < 0)
		return argc;
	if (error && (policy_active || has_shims()))
		return error;
	if (error) /* the kernel finds the same, or knows better */
		return kernel_call(SYS_execve, exec->path, argv, environment);
	give_signals(lwp);
	if (lwp->lwp_proc->p_traced) { /* it was said when that began */
		error = exec_as_it_is(lwp, AT_FDCWD, exec->path, argv, environment, 0);
	} else if (exec->exe.refusal) {
		error = as_it_is(exec->path, exec->exe.refusal) ? exec_as_it_is(lwp, AT_FDCWD, exec->path, argv, environment, 0) : -EACCES;
	} else {
		if (is_self_exe(exec->path))
			memcpy(exec->path, program_exe, sizeof(program_exe));
		exec->counted = lwp->lwp_proc->p_vforked_by ? -1 : metrics_hand_over();
		error = build_arguments(exec, lwp, argv, argc);
		if (!error) {
			own_pass_on(true);
			error = launcher_run(exec->argv, (const void *)environment);
			own_pass_on(false);
		}
		if (exec->counted >= 0)
			kernel_call(SYS_close, exec->counted);
	}
	program_signals_are_ours(lwp);
	return error;
}

/** dirfd and path as one path. Of a file without a name (deleted, or in memory) by its descriptor, which has to outlive the launcher's start. */
static long path_at(struct exec *exec, int dirfd, uint64_t path, int flags)
{
	char link[32];
	struct text text;
	long n = user_string(exec->path, path, sizeof(exec->path));

	if (n < 0 || exec->path[0] == '/' || (dirfd == AT_FDCWD && n > 0))
		return n;
	if (n == 0 && !(flags & AT_EMPTY_PATH))
		return -ENOENT;
	text_begin(&text, link, sizeof(link));
	text_add(&text, "/proc/self/fd/%d", dirfd);
	memmove(exec->argv0, exec->path, (size_t)n + 1);
	n = kernel_call(SYS_readlink, link, exec->path, sizeof(exec->path) - 1);
	if (n < 0)
		return n == -ENOENT ? -EBADF : n;
	exec->path[n] = 0;
	text_begin(&text, exec->path + n, sizeof(exec->path) - (size_t)n);
	if (exec->argv0[0])
		text_add(&text, "/%s", exec->argv0);
	return kernel_call(SYS_access, exec->path, 0) ? -ENOSYS : 0;
}

static long exec_call(struct lwp *lwp, int dirfd, uint64_t path, uint64_t argv, uint64_t environment, int flags)
{
	long argc = count_words(argv), result;
	size_t size = sizeof(struct exec) + 8 * (OPTIONS_MAX + (size_t)(argc < 0 ? 0 : argc));
	struct proc *proc = lwp->lwp_proc;
	struct exec *exec;

	if (argc < 0) /* it fails: the kernel says of what first, of the path or of this */
		return kernel_call(SYS_execveat, dirfd, path, NOWHERE, environment, flags);
	result = kernel_call(SYS_mmap, lwkt_os_map_place(size), size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (result < 0)
		return result;
	exec = (struct exec *)result;
	if (program_execs)
		program_execs(true);
	proc->p_exec = exec; /* of a child of vfork the parent gives it back */
	proc->p_exec_size = size;
	result = path_at(exec, dirfd, path, flags);
	if (result == -ENOSYS) { /* no name that would lead to it */
		result = -EACCES;
		if (as_it_is(exec->path, "has no path")) {
			give_signals(lwp);
			result = exec_as_it_is(lwp, dirfd, (const char *)path, argv, environment, flags);
			program_signals_are_ours(lwp);
		}
	} else if (result >= 0) {
		result = exec_prepared(lwp, exec, argv, environment);
	}
	if (program_execs)
		program_execs(false);
	proc->p_exec = NULL;
	kernel_call(SYS_munmap, exec, size);
	return result;
}

static long exec_execve(struct lwp *lwp, struct trapframe *tf)
{
	return exec_call(lwp, AT_FDCWD, tf->tf_rdi, tf->tf_rsi, tf->tf_rdx, 0);
}

static long exec_execveat(struct lwp *lwp, struct trapframe *tf)
{
	return exec_call(lwp, (int)tf->tf_rdi, tf->tf_rsi, tf->tf_rdx, tf->tf_r10, (int)tf->tf_r8);
}

const struct call_entry exec_calls[] = {
	{SYS_execve, exec_execve},
	{SYS_execveat, exec_execveat},
	{0},
};
