/* order.c - says in which order shims are asked, and changes what it is told to: -DNAME="a". */
#include "libcr_shim.h"

const char shim_on[] = "getpgid";

long shim(struct sysmsg *msg, sysmsg_next next)
{
	long result;

	shim_print("%s: getpgid(%ld)\n", NAME, (long)msg->sm_args[0]);
	msg->sm_args[0]++;
	result = next(msg);
	if (result >= 0 && next(msg) != result) /* once more: it is where it was */
		return -EDOM;
	shim_print("%s: %s\n", NAME, result < 0 ? shim_error_name(result) : "ok");
	return result;
}
