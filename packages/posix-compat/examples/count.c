/*
 * count.c - a native shim that counts system calls, by name, and prints how many there were when the process ends.
 *
 *	gcc -shared -fPIC -O2 -I FOLDER count.c -o count.so     FOLDER: where libcr_shim.h is, beside the launcher
 *	lwkt run --native-shim ./count.so -- ls
 */
#include "libcr_shim.h"

#define CALLS 512

static unsigned long counts[CALLS]; /* by several rforks at once: atomically */

long shim(struct sysmsg *msg, sysmsg_next next)
{
	if (msg->sm_number >= 0 && msg->sm_number < CALLS)
		__atomic_fetch_add(&counts[msg->sm_number], 1, __ATOMIC_RELAXED);
	return next(msg);
}

void shim_forked(void)
{
	memset(counts, 0, sizeof(counts)); /* those were its parent's */
}

void shim_end(int status)
{
	for (long i = 0; i < CALLS; i++)
		if (counts[i])
			shim_print("%8lu %s\n", counts[i], shim_call_name(i));
	shim_print("exit status %d\n", status);
}
