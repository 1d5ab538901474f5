/*
 * folder.c - what /proc/self/task lists, read by getdents64: the process' lwps, and not the kernel threads. The place in it, which the kernel keeps with the
 * descriptor, is the tid that was listed last; 1 and 2 are "." and "..".
 */
#include "task.h"
#include "own.h"

#include <dirent.h>
#include <sys/stat.h>

#define NAME_AT 19 /* in struct linux_dirent64: inode, offset, length, type, name */
#define ENTRY_MAX 40

bool task_is_folder(int fd)
{
	char link[64], target[64], own[64];
	struct text text;
	long n;

	text_begin(&text, link, sizeof(link));
	text_add(&text, "/proc/self/fd/%d", fd);
	n = kernel_call(SYS_readlink, link, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = 0;
	text_begin(&text, own, sizeof(own));
	text_add(&text, "/proc/%d/task", program_proc.p_pid);
	return !strcmp(target, own);
}

/** The least tid above this one; 0: there is none. */
static int next_tid(int after)
{
	struct proc *proc = &program_proc;
	int found = 0;

	lwkt_word_lock(&proc->p_lock);
	for (const struct lwp *lwp = proc->p_lwps; lwp; lwp = lwp->lwp_next)
		if (lwp->lwp_tid > after && (!found || lwp->lwp_tid < found))
			found = lwp->lwp_tid;
	lwkt_word_unlock(&proc->p_lock);
	return found;
}

/** One entry. Its bytes. */
static size_t lay(char entry[ENTRY_MAX], int place)
{
	struct text text;
	uint16_t size;

	memset(entry, 0, ENTRY_MAX);
	text_begin(&text, entry + NAME_AT, ENTRY_MAX - NAME_AT);
	if (place <= 2)
		text_add(&text, place == 1 ? "." : "..");
	else
		text_add(&text, "%d", place);
	size = (uint16_t)((NAME_AT + strlen(entry + NAME_AT) + 1 + 7) & ~7ul);
	memcpy(entry, &(uint64_t){(uint64_t)place}, 8);
	memcpy(entry + 8, &(uint64_t){(uint64_t)place}, 8);
	memcpy(entry + 16, &size, 2);
	entry[18] = DT_DIR;
	return size;
}

static long list(const struct trapframe *tf)
{
	char entry[ENTRY_MAX];
	int fd = (int)tf->tf_rdi, place = (int)kernel_call(SYS_lseek, fd, 0, SEEK_CUR), next;
	size_t done = 0, size;

	while ((next = place < 2 ? place + 1 : next_tid(place))) {
		size = lay(entry, next);
		if (done + size > (uint32_t)tf->tf_rdx)
			return done ? (long)done : -EINVAL;
		if (copyout(tf->tf_rsi + done, entry, size))
			return done ? (long)done : -EFAULT;
		done += size;
		place = next;
		kernel_call(SYS_lseek, fd, place, SEEK_SET);
	}
	return (long)done;
}

static call_handler below_getdents;

static long folder_getdents(struct lwp *lwp, struct trapframe *tf)
{
	return task_is_ours(lwp) && task_is_folder((int)tf->tf_rdi) ? list(tf) : below_getdents(lwp, tf);
}

const struct call_entry folder_calls[] = {
	{SYS_getdents64, folder_getdents, &below_getdents},
	{0},
};
