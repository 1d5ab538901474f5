/*
 * self.c - /proc/self tells of the program, not of the launcher: its name, its command line where the kernel lets us say so, and exe, which is answered
 * here.
 */
#include "program.h"

#include <fcntl.h>
#include <linux/prctl.h>

#define PATH_SIZE 128 /* longer ones lead elsewhere */

enum proc_path (*program_proc_path)(struct lwp *lwp, int dirfd, char *path, size_t size, int64_t flags, long *result);
char program_exe[4096];
uint64_t program_stack;

bool is_self_exe(const char *path)
{
	static const char *const others[] = {"/proc/%d/exe", "/proc/self/task/%d/exe", "/proc/%d/task/%d/exe"};
	char own[64];
	struct text text;

	if (strncmp(path, "/proc/", 6) || strcmp(path + strlen(path) - 4, "/exe"))
		return false;
	if (!strcmp(path, "/proc/self/exe") || !strcmp(path, "/proc/thread-self/exe"))
		return true;
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		text_begin(&text, own, sizeof(own));
		text_add(&text, others[i], curproc()->p_pid, curproc()->p_pid);
		if (!strcmp(path, own))
			return true;
	}
	return false;
}

/** The path of an open file without symbolic links: what the kernel would have in /proc/self/exe. */
static void resolve(const char *path)
{
	char link[32];
	struct text text;
	int fd = (int)kernel_call(SYS_open, path, O_PATH | O_CLOEXEC);
	long n;

	text_begin(&text, link, sizeof(link));
	text_add(&text, "/proc/self/fd/%d", fd);
	n = kernel_call(SYS_readlink, link, program_exe, sizeof(program_exe) - 1);
	program_exe[n > 0 ? n : 0] = 0;
	kernel_call(SYS_close, fd);
}

void self_init(const char *path, const char *file, const struct image *image, const struct strings *strings)
{
	const char *slash = strrchr(path, '/');
	uint64_t brk = (uint64_t)kernel_call(SYS_brk, 0);
	struct prctl_mm_map map = {
		.start_code = image->code[0], .end_code = image->code[1], .start_data = image->data[0], .end_data = image->data[1],
		.start_brk = brk, .brk = brk, .start_stack = strings->stack,
		.arg_start = strings->args[0], .arg_end = strings->args[1], .env_start = strings->environment[0], .env_end = strings->environment[1],
		.auxv = (void *)(uintptr_t)strings->auxv, .auxv_size = (uint32_t)strings->auxv_size, .exe_fd = (uint32_t)-1,
	};

	program_stack = strings->stack;
	resolve(file);
	kernel_call(SYS_prctl, PR_SET_NAME, slash ? slash + 1 : path);
	kernel_call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0); /* a kernel without it shows the launcher's command line */
}

static bool is_readlink(const struct trapframe *tf) { return tf->tf_number == SYS_readlink || tf->tf_number == SYS_readlinkat; }

/** Whether a path may be one of those that are answered here: /proc/..., or a number from an open folder on. */
static bool may_be_ours(uint64_t address)
{
	union {
		uint32_t word;
		char text[4];
	} begins;

	if (user_load32((const uint32_t *)address, &begins.word))
		return false;
	return !memcmp(begins.text, "/pro", 4) || (begins.text[0] >= '0' && begins.text[0] <= '9');
}

/** readlink of what is answered here. */
static long say_link(const struct trapframe *tf, const char *link)
{
	const bool at = tf->tf_number == SYS_readlinkat;
	const uint64_t to = at ? tf->tf_rdx : tf->tf_rsi, size = at ? tf->tf_r10 : tf->tf_rdx;
	uint64_t n = strlen(link);

	if ((int)size <= 0)
		return -EINVAL;
	if (n > size)
		n = size;
	return copyout(to, link, n) ?: (long)n;
}

/** The link itself, and not the folder that it leads to: the lwp's own, and not that of the kernel thread that runs it. */
static long thread_self(struct lwp *lwp, const struct trapframe *tf)
{
	char link[32];
	struct text text;

	if (!is_readlink(tf) || lwp->lwp_proc->p_vforked_by)
		return NOT_HANDLED;
	text_begin(&text, link, sizeof(link));
	text_add(&text, "%d/task/%d", curproc()->p_pid, lwp->lwp_tid);
	return say_link(tf, link);
}

/** A call with a path in the register `which` of tf, from `dirfd` on. flags: of open; -1. follows: a symbolic link at the path's end. */
static long with_path(struct lwp *lwp, struct trapframe *tf, const uint64_t *which, int dirfd, int64_t flags, bool follows)
{
	char path[PATH_SIZE];
	struct trapframe other;
	uint64_t *argument = (uint64_t *)&other + (which - (const uint64_t *)tf);
	enum proc_path what;
	long result;

	if (!may_be_ours(*which) || user_string(path, *which, sizeof(path)) <= 0)
		return NOT_HANDLED;
	if (!strcmp(path, "/proc/thread-self") && (!follows || is_readlink(tf) || (flags >= 0 && (flags & O_NOFOLLOW))))
		return thread_self(lwp, tf);
	what = program_proc_path && !is_self_exe(path) ? program_proc_path(lwp, dirfd, path, sizeof(path), flags, &result) : PROC_PATH_OTHER;
	if (what == PROC_PATH_ANSWERED)
		return result;
	other = *tf;
	*argument = (uint64_t)path;
	if (is_self_exe(path)) {
		if (is_readlink(tf))
			return say_link(tf, program_exe);
		if (follows)
			*argument = (uint64_t)program_exe;
		return program_pass(lwp, &other);
	}
	return what == PROC_PATH_CHANGED ? program_pass(lwp, &other) : NOT_HANDLED;
}

/** A call whose first argument is a path. */
static long self_path(struct lwp *lwp, struct trapframe *tf)
{
	int64_t flags = tf->tf_number == SYS_open ? (int64_t)(uint32_t)tf->tf_rsi : -1;

	return with_path(lwp, tf, &tf->tf_rdi, AT_FDCWD, flags, tf->tf_number != SYS_lstat);
}

/** The same with the path in the second argument, behind a descriptor that it may start from. */
static long self_path_at(struct lwp *lwp, struct trapframe *tf)
{
	int64_t flags = tf->tf_number == SYS_openat ? (int64_t)(uint32_t)tf->tf_rdx : -1;
	bool follows = true;

	if (tf->tf_number == SYS_openat2 && copyin(&flags, tf->tf_rdx, sizeof(flags))) /* the first of its struct open_how */
		return program_wait(lwp, tf);

	if (tf->tf_number == SYS_newfstatat || tf->tf_number == SYS_faccessat2)
		follows = !(tf->tf_r10 & AT_SYMLINK_NOFOLLOW);
	if (tf->tf_number == SYS_statx)
		follows = !(tf->tf_rdx & AT_SYMLINK_NOFOLLOW);
	return with_path(lwp, tf, &tf->tf_rsi, (int)tf->tf_rdi, flags, follows);
}

/** The kernel's, but for what would let calls escape. */
static long self_prctl(struct lwp *lwp, struct trapframe *tf)
{
	(void)lwp;
	return tf->tf_rdi == 59 /* PR_SET_SYSCALL_USER_DISPATCH: as where there is none */ ? -EINVAL : NOT_HANDLED;
}

/** Restartable sequences belong to a kernel thread. Without them the C library does what it did before there were any. */
static long self_rseq(struct lwp *lwp, struct trapframe *tf)
{
	(void)lwp, (void)tf;
	return -ENOSYS;
}

const struct call_entry self_calls[] = {
	{SYS_readlink, self_path},
	{SYS_readlinkat, self_path_at},
	{SYS_open, self_path},
	{SYS_stat, self_path},
	{SYS_openat, self_path_at},
	{SYS_openat2, self_path_at},
	{SYS_newfstatat, self_path_at},
	{SYS_lstat, self_path},
	{SYS_access, self_path},
	{SYS_statx, self_path_at},
	{SYS_faccessat, self_path_at},
	{SYS_faccessat2, self_path_at},
	{SYS_prctl, self_prctl},
	{SYS_rseq, self_rseq},
	{0},
};
