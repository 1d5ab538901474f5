/*
 * launcher.c - libcr's own file, which an execve of the program's runs again. It is /proc/self/exe, and a descriptor of its own where that may lead nowhere: in another root, where
 * /proc is not mounted, or will not be for long. The descriptor goes on to children, and to the program that follows (--launcher=FD).
 *
 * Invariant: before a call is made by which /proc may go, the file is open.
 */
#include "program.h"
#include "own.h"

#include <elf.h>
#include <fcntl.h>

#define SELF "/proc/self/exe"

static int file = -1;
static const char *path; /* by which the launcher was run: it leads there as long as nothing has been done */

int launcher_descriptor(void) { return file; }

void launcher_found(int fd) { file = fd; }

void launcher_find(char **environment)
{
	const Elf64_auxv_t *entry;

	while (*environment++)
		;
	for (entry = (const Elf64_auxv_t *)environment; entry->a_type; entry++)
		if (entry->a_type == AT_EXECFN)
			path = (const char *)entry->a_un.a_val;
}

static void keep(const char *of)
{
	const long fd = of ? kernel_call(SYS_open, of, O_PATH | O_CLOEXEC) : -ENOENT;

	if (fd >= 0)
		file = own_move_inherited((int)fd);
}

void launcher_begin(void)
{
	if (file < 0 && kernel_call(SYS_access, SELF, 0))
		keep(path);
}

long launcher_run(const void *argv, const void *environment)
{
	long error;

	if (file >= 0)
		return kernel_call(SYS_execveat, file, "", argv, environment, AT_EMPTY_PATH);
	error = kernel_call(SYS_execve, SELF, argv, environment);
	return error == -ENOENT && path ? kernel_call(SYS_execve, path, argv, environment) : error;
}

static long changes_root(struct lwp *lwp, struct trapframe *tf)
{
	if (file < 0)
		keep(SELF);
	return program_wait(lwp, tf);
}

static call_handler below_setns;

static long changes_namespace(struct lwp *lwp, struct trapframe *tf)
{
	if (file < 0)
		keep(SELF);
	return below_setns(lwp, tf);
}

const struct call_entry launcher_calls[] = {
	{SYS_chroot, changes_root},
	{SYS_pivot_root, changes_root},
	{SYS_mount, changes_root},
	{SYS_move_mount, changes_root},
	{SYS_umount2, changes_root},
	{SYS_setns, changes_namespace, &below_setns},
	{0},
};
