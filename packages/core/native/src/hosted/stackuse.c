/*
 * stackuse.c - how much of a userthread's stack has ever been used: for whoever has to choose stack sizes.
 *
 * The kernel knows which pages have been touched, and a page once touched is in memory or swapped out until the stack's memory is given back
 * (stack.c). /proc/self/pagemap tells of both. Looking for words that are still zero would read, and so map, each page, and would not see
 * a frame that was filled with zeros; mincore does not see what is swapped out.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <fcntl.h>
#include <unistd.h>

#define USED (3ull << 62) /* in memory, swapped out */
#define CHUNK 64u         /* pages asked about at a time */

/** The lowest page of [base, top) that is in use, top where none is; NULL where the system does not tell. */
static char *lowest_used(int pagemap, char *base, char *top)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t entries[CHUNK];

	for (char *at = base; at < top; at += CHUNK * page) {
		size_t pages = ((size_t)(top - at) + page - 1) / page, bytes;

		bytes = (pages < CHUNK ? pages : CHUNK) * sizeof(entries[0]);
		if (pread(pagemap, entries, bytes, (off_t)((uintptr_t)at / page * sizeof(entries[0]))) != (ssize_t)bytes)
			return NULL;
		for (size_t i = 0; i < bytes / sizeof(entries[0]); i++)
			if (entries[i] & USED)
				return at + i * page;
	}
	return top;
}

size_t lwkt_stack_used(lwkt_thread_t td)
{
	struct lwkt_stack *stack;
	int saved = errno, pagemap;
	char *lowest = NULL, *top;

	if (owner_of(td) != lwkt_arch_mycpu() || !td->td_stack || (td->td_flags & TDF_EXITING))
		return 0;
	stack = td->td_stack;
	top = stack->st_base + stack->st_size;
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap >= 0) {
		lowest = lowest_used(pagemap, stack->st_base, top);
		close(pagemap);
	}
	errno = saved;
	return lowest ? (size_t)(top - lowest) : 0;
}
