/*
 * no-unlink.c - a native shim that denies to remove what lies below a folder: that of the variable KEEP, /etc if there is none.
 */
#include "libcr_shim.h"

const char shim_on[] = "unlink rmdir rename"; /* with unlinkat, renameat, renameat2 */

static const char *kept = "/etc";

void shim_begin(void)
{
	const char *folder = shim_getenv("KEEP");
	size_t size = folder ? strlen(folder) + 1 : 0;
	char *copy = folder ? shim_alloc(size) : NULL;

	if (copy)
		kept = memcpy(copy, folder, size);
}

/** As the program has written it: other names lead there, too. */
static bool is_kept(const char *path)
{
	size_t n = strlen(kept);

	return !strncmp(path, kept, n) && (path[n] == '/' || !path[n]);
}

long shim(struct sysmsg *msg, sysmsg_next next)
{
	char path[4096];
	long n = shim_path(msg, path, sizeof(path));

	if (n < 0)
		return n; /* EFAULT, ENAMETOOLONG: as the kernel has it */
	if (!is_kept(path))
		return next(msg);
	shim_print("%s: %s is kept\n", shim_call_name(msg->sm_number), path);
	return -EPERM;
}
