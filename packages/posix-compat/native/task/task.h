/*
 * task.h - /proc/self as far as it tells of threads: the kernel's shows rforks and helpers. What the files of this room share.
 *
 *   path.c    which of these files a path of the program's means
 *   report.c  the text of stat, status, comm, children
 *   comm.c    an open comm: what is written there is the lwp's name
 *   folder.c  what /proc/self/task lists
 */
#ifndef TASK_H
#define TASK_H

#include "posix.h"

/** What an lwp's file says: 0 and its length in *size, -ENOENT where there is no such lwp (any more) or file. whole: of the process, not of its lwp. */
long task_report(int tid, const char *file, bool whole, char *text, size_t *size);
#define TASK_REPORT_MAX 8192

/** fd is an open comm of this lwp from now on. */
void comm_opened(int fd, int tid);

/** Whether a descriptor is an open /proc/self/task. */
bool task_is_folder(int fd);

/** Whether the process has, or had, several lwps: before that the kernel's files are right. */
static inline bool task_is_ours(const struct lwp *lwp)
{
	return cputime_counts() && !lwp->lwp_proc->p_vforked_by;
}

#endif
