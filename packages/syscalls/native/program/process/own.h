/*
 * own.h - libcr's own descriptors (own.c): where they lie, and that the program has none of them.
 */
#ifndef PROGRAM_OWN_H
#define PROGRAM_OWN_H

#include <sys/syscall.h>

#include "generated/descriptors.h"
#include "proc.h"

/** Moves a descriptor out of the program's way, which can't use it from then on: its new number. It is closed on execve, and in a fork's child. */
int own_move(int fd);
/** The same for what is passed on to the next program's launcher and to children. */
int own_move_inherited(int fd);
/** A copy of one of the program's, which keeps it: --trace=2. -errno where there is no place for it. */
int own_copy_inherited(int fd);
/**
 * Before there is a second kernel thread: the kernel's table of descriptors becomes as large as libcr's own numbers need. Later each thread would wait for that that takes one,
 * until all processors have been seen outside of the kernel (expand_files, synchronize_rcu): 10 ms on an idle machine, and many seconds on one where much runs.
 */
void own_make_room(void);
/** One that has been moved by the launcher that ran execve. */
void own_keep_inherited(int fd);
/** Before an execve of the launcher, and after one that has failed: whether those are inherited. */
void own_pass_on(bool pass);
void own_close(int fd); /* one of own_move's, if it is open here */
/** A file that is kept open, at *fd; it is opened if that is -1. -errno if it can't be. */
int own_open(int *fd, const char *path, int flags);
/** In a fork's child. shared: it has its parent's descriptors, and not copies: so the parent's are neither closed nor given to the program. */
void own_forked(bool shared);

/** The first from `first` to `last` that this lwp's program must not close; -1 where there is none. */
int64_t own_first(const struct lwp *lwp, uint64_t first, uint64_t last);

extern bool own_any; /* there are some */
extern uint32_t own_lowest;
/** Whether a call may be made with one of them: it is to be looked at. A quick answer for all that have no descriptor, or a small one. */
static inline bool own_may_be_used(const struct trapframe *tf)
{
	const unsigned bits = tf->tf_number < sizeof(descriptor_arguments) ? descriptor_arguments[tf->tf_number] : 0;

	return bits > 1 || (bits && ((uint32_t)tf->tf_rdi >= own_lowest || tf->tf_number == SYS_sendmsg || tf->tf_number == SYS_sendmmsg));
}
/** Whether it is: then it answers EBADF. */
bool own_is_used(const struct lwp *lwp, const struct trapframe *tf);

/** Another process shares the program's descriptors, and may change what a number stands for. */
extern bool own_files_are_shared;

/** getdents and getdents64, without libcr's in the process' list of descriptors. */
extern const struct call_entry own_calls[];

#endif
