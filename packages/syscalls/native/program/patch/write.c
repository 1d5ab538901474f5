/*
 * write.c - code that is being run becomes other code. Written through /proc/self/mem: nothing is ever writable and executable at once. Where the kernel
 * refuses that (the vDSO's pages are sealed), the code stays.
 *
 * Where several kernel threads run the program's code the first byte becomes int3, then the rest is written, then the first byte; in between all of them
 * are brought to a point where they fetch instructions anew (membarrier). Who meets the int3 waits in the handler, and does the instruction again.
 */
#include "patch.h"
#include "own.h"

#include <fcntl.h>

#define REACH 0x7ff00000l /* how far a jump goes, and a little less */
#define INT3 0xcc
#define MEMBARRIER_REGISTER_SYNC_CORE (1 << 6)
#define MEMBARRIER_SYNC_CORE (1 << 5)

static bool is_shared;
static int memory = -1;
static volatile uint64_t under_way; /* the site where there is an int3 */

bool reaches(uint64_t from, uint64_t to)
{
	int64_t distance = (int64_t)(to - from);

	return distance < REACH && distance > -REACH;
}

/*
 * Where other kernel threads run the program's code, a file that is opened for a moment might be closed by them, and another one be open at its number.
 */
int patch_open(int *kept, const char *path, int flags)
{
	return is_shared || own_files_are_shared ? own_open(kept, path, flags) : (int)kernel_call(SYS_open, path, flags | O_CLOEXEC);
}

void patch_close(int fd, int kept)
{
	if (fd != kept)
		kernel_call(SYS_close, fd);
}

bool write_code(uint64_t to, const void *bytes, size_t size)
{
	int fd = patch_open(&memory, "/proc/self/mem", O_RDWR);
	long written;

	if (fd < 0)
		return false;
	written = kernel_call(SYS_pwrite64, fd, bytes, size, to);
	patch_close(fd, memory);
	return written == (long)size;
}

bool write_jump(uint64_t site, uint64_t to)
{
	const uint8_t int3 = INT3;
	const int32_t distance = (int32_t)(to - (site + JUMP_SIZE));
	uint8_t jump[JUMP_SIZE] = {0xe9};
	bool written;

	memcpy(jump + 1, &distance, 4);
	if (!is_shared)
		return write_code(site, jump, sizeof(jump));
	under_way = site;
	written = write_code(site, &int3, 1); /* if this can be written, so can the rest */
	kernel_call(SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0);
	written = written && write_code(site + 1, jump + 1, sizeof(jump) - 1);
	kernel_call(SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0);
	written = written && write_code(site, jump, 1);
	kernel_call(SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0);
	__atomic_store_n(&under_way, 0, __ATOMIC_SEQ_CST);
	return written;
}

bool patch_trap(uint64_t at)
{
	uint8_t byte;

	if (at != under_way && (copyin(&byte, at, 1) || byte == INT3))
		return false; /* the program's own */
	while (at == under_way)
		__asm__ volatile("pause");
	return true;
}

void patch_shared(bool shared)
{
	is_shared = shared && !kernel_call(SYS_membarrier, MEMBARRIER_REGISTER_SYNC_CORE, 0, 0);
	if (shared && !is_shared)
		options.no_patch = true; /* what is patched is right all the same */
	if (!shared) {
		under_way = 0;
		memory = -1;
		patch_forked();
	}
}
