/*
 * comm.c - an lwp's comm that is open: what is written there becomes its name, as glibc's pthread_setname_np does it for another thread.
 *
 * A descriptor is known by its number and its file, as the program may have closed it meanwhile. Looking at each write begins with the first of these.
 */
#include "task.h"

#include <sys/stat.h>

#define OPEN_MAX 64 /* at the same time: of more, the oldest is a file like any other */

struct open_comm {
	int fd, tid;
	uint64_t inode;
};

static uint32_t comm_lock;
static struct open_comm comms[OPEN_MAX];
static unsigned next_comm;

static uint64_t inode_of(int fd)
{
	struct stat about;

	return kernel_call(SYS_fstat, fd, &about) ? 0 : about.st_ino;
}

/** Whose comm this descriptor is; 0: it is none. */
static int tid_of(int fd)
{
	int tid = 0;
	uint64_t inode = 0;

	for (unsigned i = 0; i < OPEN_MAX && !tid; i++) {
		if (!comms[i].tid || comms[i].fd != fd)
			continue;
		inode = inode ? inode : inode_of(fd);
		lwkt_word_lock(&comm_lock);
		if (comms[i].fd == fd && comms[i].inode == inode)
			tid = comms[i].tid;
		lwkt_word_unlock(&comm_lock);
	}
	return tid;
}

static long set_name(int tid, const char *name)
{
	struct proc *proc = &program_proc;
	struct lwp *lwp;

	lwkt_word_lock(&proc->p_lock);
	lwp = lwp_find(proc, tid);
	if (lwp)
		memcpy(lwp->lwp_comm, name, sizeof(lwp->lwp_comm));
	lwkt_word_unlock(&proc->p_lock);
	return lwp ? 0 : -EINVAL;
}

static long comm_write(struct lwp *lwp, struct trapframe *tf)
{
	char name[16] = {0};
	size_t n = tf->tf_rdx < sizeof(name) - 1 ? tf->tf_rdx : sizeof(name) - 1;
	int tid = lwp->lwp_proc->p_vforked_by ? 0 : tid_of((int)tf->tf_rdi);
	long error;

	if (!tid)
		return program_wait(lwp, tf);
	error = copyin(name, tf->tf_rsi, n) ?: set_name(tid, name);
	if (error)
		return error;
	kernel_call(SYS_ftruncate, tf->tf_rdi, 0); /* who reads it sees that */
	n = strlen(name);
	name[n] = '\n';
	out_put((int)tf->tf_rdi, name, n + 1);
	return (long)tf->tf_rdx;
}

void comm_opened(int fd, int tid)
{
	static const struct call_entry writes[] = {{SYS_write, comm_write}, {0}};
	uint64_t inode = inode_of(fd);

	lwkt_word_lock(&comm_lock);
	comms[next_comm++ % OPEN_MAX] = (struct open_comm){fd, tid, inode};
	lwkt_word_unlock(&comm_lock);
	program_handle(writes);
}
