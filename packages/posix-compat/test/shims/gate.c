/* gate.c - a shim that waits before calls with a mask of their own until there is a signal for who makes them, and then goes on. */
#include "libcr_shim.h"

const char shim_on[] = "ppoll pselect6 epoll_pwait rt_sigsuspend";

long shim(struct sysmsg *msg, sysmsg_next next)
{
	shim_call(msg, next, SYS_poll, NULL, 0, -1);
	return next(msg);
}
