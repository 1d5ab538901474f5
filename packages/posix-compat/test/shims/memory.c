/* memory.c - helpers: memory that is not there, paths, names. */
#include "libcr_shim.h"

const char shim_on[] = "rename getrandom";

static long look(struct sysmsg *msg)
{
	char path[16], dest[16], byte;

	if (shim_copyin(&byte, 16, 1) != -EFAULT || shim_copyout(16, &byte, 1) != -EFAULT || shim_copyinstr(path, 16, sizeof(path)) != -EFAULT)
		return 1;
	if (shim_path(msg, path, sizeof(path)) != 4 || strcmp(path, "from") || shim_dest(msg, dest, sizeof(dest)) != 2 || strcmp(dest, "to"))
		return 2;
	if (shim_path(msg, path, 4) != -ENAMETOOLONG)
		return 3;
	if (!shim_is(msg, "rename") || shim_is(msg, "unlink") || shim_is(msg, "nosuch"))
		return 4;
	if (strcmp(shim_call_name(msg->sm_number), "renameat") || shim_call_number("renameat") != msg->sm_number || shim_call_name(1 << 20) ||
	    shim_call_number("nosuch") != -1 || strcmp(shim_error_name(-ENOENT), "ENOENT") || shim_error_name(4000))
		return 5;
	if (shim_fd(msg) != -100)
		return 6;
	return -ELIBBAD;
}

long shim(struct sysmsg *msg, sysmsg_next next)
{
	static const char text[] = "shim";

	if (msg->sm_number != SYS_getrandom)
		return look(msg);
	(void)next;
	return shim_copyout(msg->sm_args[0], text, 4) ?: 4;
}
