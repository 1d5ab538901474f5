/* wait.c - a shim that blocks its lwp for a while, in a call of its own, and counts how many are in it at once. */
#include "libcr_shim.h"

#include <time.h>

const char shim_on[] = "getpgid";

static uint32_t lock;
static unsigned inside, most;

long shim(struct sysmsg *msg, sysmsg_next next)
{
	const struct timespec moment = {.tv_nsec = 50000000};

	shim_lock(&lock);
	if (++inside > most)
		most = inside;
	shim_unlock(&lock);
	shim_call(msg, next, SYS_nanosleep, &moment, NULL);
	shim_lock(&lock);
	inside--;
	shim_unlock(&lock);
	return msg->sm_args[0] == 1000 ? (long)most : next(msg);
}
