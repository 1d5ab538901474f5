/*
 * libcr_shim.h - native shims: C functions in front of a program's system calls, for `lwkt run --native-shim ./x.so -- PROGRAM`.
 *
 *	#include "libcr_shim.h"
 *
 *	const char shim_on[] = "unlink";              the calls it wants, with their families: unlinkat, too. Without it: all
 *
 *	long shim(struct sysmsg *msg, sysmsg_next next)
 *	{
 *		char path[4096];
 *
 *		if (shim_path(msg, path, sizeof(path)) > 0 && !strncmp(path, "/etc/", 5))
 *			return -EROFS;                        its answer: a result, or -errno
 *		return next(msg);                             what is below answers: the next shim, at last libcr and the kernel
 *	}
 *
 *	gcc -shared -fPIC -O2 -I FOLDER x.c -o x.so   FOLDER: where this file is, beside the launcher
 *
 * next may be called never, once or several times, with the message as it came, or changed, or with another one; as
 * the shim has it, it is after next, whatever those below have made of it. It blocks the lwp that makes the call, and nobody
 * else. Of several shims the first that was given is outermost. A shim is there in all processes that the program starts.
 *
 * What a shim has to know:
 *  - There is no C library. What it may call is declared here, and besides: memcpy, memmove, memset, memcmp, strlen, strcmp, strncmp, strchr, strrchr. Any
 *    other name is refused when the shim is loaded, and so are thread-local variables. Static variables are its memory, one copy for each process.
 *  - It makes no `syscall` of its own: that ends the process. Its calls go to the level below it, by shim_call.
 *  - What the message points to is the program's, and may not be there: shim_copyin, shim_copyout, shim_path. A fault of the shim's own ends the process.
 *  - It is called by several lwps at the same time, on several rforks if there are (--rforks), and by one while another waits in next. What they share it
 *    guards by atomic operations (__atomic_fetch_add, ...) or by shim_lock. While it computes, the other lwps of the rfork do not.
 *  - A call that a signal has interrupted answers -512 to -514 (the kernel's ERESTARTSYS and its like). Give that back: the signal's handler runs, and then the call
 *    comes again, or the program sees EINTR.
 *  - rt_sigreturn does not come to shims. exit and exit_group do, but what they answer changes nothing: the lwp, or the process, ends.
 *  - The vector and floating-point registers are the program's. gcc is told here not to use them, in all that follows this line in a file. A shim that is
 *    compiled by another compiler, or defines SHIM_VECTORS in front of this file, has them saved around it, which costs some 0.6 µs for each call.
 *    Each of its files includes this one, or is compiled with -mgeneral-regs-only.
 *  - A stack of 32 KiB.
 *
 * Names that begin with shim or sysmsg are libcr's.
 */
#ifndef LIBCR_SHIM_H
#define LIBCR_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#if defined(__GNUC__) && !defined(__clang__) && !defined(SHIM_VECTORS)
#pragma GCC target("general-regs-only")
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-stack-protector") /* its canary is thread-local */
#endif

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** A system call as a message. */
struct sysmsg {
	long sm_number;           /* SYS_... */
	unsigned long sm_args[6]; /* as the kernel takes them */
	int sm_pid, sm_tid;       /* who makes it, as the program has it */
	unsigned long sm_private[2];
};

/** What is below a shim. Answers a result, or -errno. */
typedef long (*sysmsg_next)(struct sysmsg *msg);

/* ------------------------------------------------------------------ what a shim exports */

/** The shim. Its answer is the program's: a result, or -errno. */
long shim(struct sysmsg *msg, sysmsg_next next);

/** Optional: which calls it wants, by name, with commas or blanks between; each stands for its family (open for openat, openat2, creat). The others do
 *  not come to it, and cost nothing. */
extern const char shim_on[];

/** Optional: before the program begins, in each process that has run execve. There is no call yet. */
void shim_begin(void);

/** Optional: in the child of a fork, before it goes on. Locks that other lwps had are still taken. */
void shim_forked(void);

/** Optional: the process ends by itself, with this status. Not if a signal ends it, and not for execve. */
void shim_end(int status);

/* ------------------------------------------------------------------ what libcr has for it */

/** n bytes of the program's memory. 0, or -EFAULT: they are not there, and some may have been copied. */
long shim_copyin(void *to, unsigned long from, size_t n);
long shim_copyout(unsigned long to, const void *from, size_t n);

/** A string of the program's, with its NUL. Its length; -EFAULT; -ENAMETOOLONG where it has more than size bytes with that. */
long shim_copyinstr(char *to, unsigned long from, size_t size);

/** The call's path, and its second one (rename, link, symlink, ...), as the program has written them. As shim_copyinstr; -EINVAL: the call has none. */
long shim_path(const struct sysmsg *msg, char *to, size_t size);
long shim_dest(const struct sysmsg *msg, char *to, size_t size);

/** The first argument that is a descriptor; -1: the call has none. */
int shim_fd(const struct sysmsg *msg);

/** A call's name, or NULL; the number of a name, or -1; an error's name ("ENOENT"; -ENOENT or ENOENT), or NULL. */
const char *shim_call_name(long number);
long shim_call_number(const char *name);
const char *shim_error_name(long error);

/** Whether the message is the call of this name, or one of its family. */
bool shim_is(const struct sysmsg *msg, const char *name);

/** Writes text to the stderr that the process began with, in one piece: %s %c %d %u %x, with l or z; %-8d and %8d pad. 1,000 bytes at most. */
void shim_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Zeroed memory, or NULL. */
void *shim_alloc(size_t size);
void shim_free(void *piece);

/** Locks a word (0: free), for a few instructions: not over next, nor over anything that waits. */
void shim_lock(uint32_t *word);
void shim_unlock(uint32_t *word);

/** CLOCK_MONOTONIC in ns. */
uint64_t shim_clock(void);

/** A variable of the environment that the process began with, or NULL. In shim_begin only. */
const char *shim_getenv(const char *name);

/** A call of the shim's own: shim_call(msg, next, SYS_openat, AT_FDCWD, "/etc/motd", O_RDONLY). What msg is about stays as it is. */
#define shim_call(...) SHIM_CALL(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SHIM_CALL(msg, next, number, a, b, c, d, e, f, ...) \
	shim_call_own(msg, next, number, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), (unsigned long)(d), (unsigned long)(e), (unsigned long)(f))

static inline long shim_call_own(const struct sysmsg *msg, sysmsg_next next, long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                                 unsigned long e, unsigned long f)
{
	struct sysmsg own = *msg;

	own.sm_number = number;
	own.sm_args[0] = a;
	own.sm_args[1] = b;
	own.sm_args[2] = c;
	own.sm_args[3] = d;
	own.sm_args[4] = e;
	own.sm_args[5] = f;
	return next(&own);
}

/* ------------------------------------------------------------------ by which libcr knows a shim */
#define SHIM_VERSION 1
#ifndef SHIM_INTERNAL
extern const unsigned shim_version __attribute__((weak));
const unsigned shim_version = SHIM_VERSION;
#ifdef __SSE__
extern const unsigned shim_vectors __attribute__((weak));
const unsigned shim_vectors = 1;
#endif
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
