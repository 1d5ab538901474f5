/*
 * libcr_syscalls.h - system calls that stop their userthread only, for C: libcr_syscalls.a, on libcr (lwkt.h).
 *
 * A call that has to wait (for a pipe, a socket, a child, a lock, a time) blocks the calling userthread, and its rfork goes on with others: it waits in the rfork's
 * io_uring, where there is none in an epoll set, or on a helper kernel thread. What the caller sees is what the blocking call shows. Files are read and written in place.
 *
 * It needs the rfork's loop: thread0 waits by sysmsg_join, and other rforks have sysmsg_loop as their loop. A userthread that waits stays on its rfork until it has
 * what it waits for.
 *
 *	static void reader(void *fd)
 *	{
 *		char byte;
 *		if (sysmsg_call(SYS_read, *(int *)fd, &byte, 1) == 1) ...
 *	}
 *
 *	lwkt_cpu_init();
 *	lwkt_create(reader, &fds[0], &td, &(struct lwkt_create_args){.flags = TDF_JOINABLE});
 *	sysmsg_join(td);
 */
#ifndef LIBCR_SYSCALLS_H
#define LIBCR_SYSCALLS_H

#include <sys/syscall.h>

#include "lwkt.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a system call, by its number, with up to six arguments, integers or pointers. Answers as the kernel does: the result, or -errno; errno is left alone.
 * Blocks the calling userthread where the call would; lwkt_interrupt ends that with -EINTR, unless the call is being made by a helper. On thread0, inside a critical
 * section and in an IPI function the call is made in place, however long it takes. A signal that a write raises (SIGPIPE) may be raised on a helper, which blocks it.
 */
#define sysmsg_call(...) SYSMSG_CALL(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SYSMSG_CALL(number, a, b, c, d, e, f, ...) sysmsg_make(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
long sysmsg_make(long number, long a, long b, long c, long d, long e, long f);

/** The put function of a port that makes the calls that are sent to it, each on its sender: lwkt_initport_putonly(&port, sysmsg_putport, "syscalls"). A message is
 *  a struct sysmsg. What stands in front of it is a shim. */
int sysmsg_putport(lwkt_port_t port, lwkt_msg_t msg);

/** As lwkt_join, for thread0: runs the rfork's userthreads meanwhile, and sleeps while all of them wait. EPERM on a userthread, which joins by lwkt_join; EINVAL where td
 *  is another rfork's. */
int sysmsg_join(lwkt_thread_t td);

/** An rfork's loop (struct lwkt_rfork_args). */
void sysmsg_loop(void *data);

/** In the child of a fork that goes on with libcr, before lwkt_forked: what waited is no more. */
void sysmsg_forked(void);

/** Calls that are answered with an error from now on, for the whole process: RULE,RULE,... with deny:NAME, deny:NAME:ERRNO or allow:NAME in each, * for all names; a name
 *  stands for its family (open for openat), and the first rule about a call decides. 0, or EINVAL. What goes past this library is not asked. */
int sysmsg_policy(const char *rules);

/** Whether waits are to go to io_uring where it can be had (1, at first), or to epoll (0). Before the first call that waits. */
void sysmsg_use_ring(int on);

#ifdef __cplusplus
}
#endif
#endif
