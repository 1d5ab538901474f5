/*
 * stack.c - memory for stacks: arenas of equal slots, each with a guard page below it.
 *
 * One mapping serves many stacks: with MADV_GUARD_INSTALL (Linux 6.13) a guard page needs no mapping of its own, so that
 * vm.max_map_count (65,530) is no limit for the number of userthreads; where the kernel lacks it, mprotect costs two mappings a stack.
 * Memory is committed when touched. A freed slot's pages go back at once, a chunk's address space when all its slots are free.
 *
 * Invariant: the guard page of a slot is inaccessible from the moment the slot is first handed out.
 */
#include "internal.h"

#include <linux/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define NO_ADVICE (-1) /* none that madvise knows */
#define MIN_PAGES 4u  /* of a slot, the guard page being one: 16 KiB are too few where a page has that many */
#define CHUNK_BYTES (16u << 20) /* address space of a chunk at most, unless one slot alone is larger */
#define CHUNK_SLOTS 256u

unsigned lwkt_stack_class(size_t size)
{
	unsigned cls = 0;

	while (lwkt_stack_class_size(cls) < size)
		cls++;
	return cls;
}

size_t lwkt_stack_class_size(unsigned cls)
{
	return (size_t)1 << (cls + STACK_CLASS_MIN_SHIFT);
}

/** The stack size of a thread for which size bytes are asked: that of the smallest class that will do. */
size_t lwkt_stack_size_for(size_t size)
{
	size_t least = MIN_PAGES * lwkt_os_page_size();

	return lwkt_stack_class_size(lwkt_stack_class(size < least ? least : size));
}

/** Whether madvise is to be believed. An emulator (qemu-user) answers 0 to advice that it ignores, which a guard page can't be. */
static bool advice_is_taken(char *page)
{
	static _Atomic int known; /* 0: not yet; 1: yes; 2: no */

	if (atomic_load_explicit(&known, memory_order_relaxed) == 0)
		atomic_store_explicit(&known, lwkt_os_advise(page, lwkt_os_page_size(), NO_ADVICE) != 0 ? 1 : 2, memory_order_relaxed);
	return atomic_load_explicit(&known, memory_order_relaxed) == 1;
}

static int guard(char *page)
{
	if (advice_is_taken(page) && lwkt_os_advise(page, lwkt_os_page_size(), MADV_GUARD_INSTALL) == 0)
		return 0;
	return lwkt_os_deny(page, lwkt_os_page_size());
}

static struct lwkt_chunk *chunk_map(globaldata_t gd, unsigned cls)
{
	size_t slot = lwkt_stack_class_size(cls);
	unsigned n = slot >= CHUNK_BYTES ? 1 : CHUNK_BYTES / slot > CHUNK_SLOTS ? CHUNK_SLOTS : (unsigned)(CHUNK_BYTES / slot);
	struct lwkt_chunk *chunk = lwkt_os_alloc(sizeof(*chunk) + n * sizeof(struct lwkt_stack));

	if (!chunk)
		return NULL;
	chunk->ch_base = lwkt_os_map(slot * n);
	if (!chunk->ch_base) {
		lwkt_os_free(chunk);
		return NULL;
	}
	lwkt_os_advise(chunk->ch_base, slot * n, MADV_NOHUGEPAGE); /* or the first touch of a stack commits 2 MiB */
	chunk->ch_gd = gd;
	chunk->ch_size = slot;
	chunk->ch_nslots = n;
	list_init(&chunk->ch_freelist);
	list_init(&chunk->ch_link);
	return chunk;
}

/** A slot without a resident; NULL where there is no memory. */
struct lwkt_stack *lwkt_stack_alloc(globaldata_t gd, unsigned cls)
{
	struct lwkt_list *chunks = &gd->gd_chunks[cls]; /* those with room come first */
	struct lwkt_chunk *chunk = list_empty(chunks) ? NULL : LIST_ENTRY(chunks->next, struct lwkt_chunk, ch_link);
	struct lwkt_stack *stack;

	if (!chunk || (chunk->ch_used == chunk->ch_nslots)) {
		chunk = chunk_map(gd, cls);
		if (!chunk)
			return NULL;
		list_append(chunks->next, &chunk->ch_link); /* before the first: appending to a node inserts in front of it */
	}
	if (!list_empty(&chunk->ch_freelist)) {
		stack = LIST_ENTRY(chunk->ch_freelist.prev, struct lwkt_stack, st_link);
		list_remove(&stack->st_link);
	} else {
		char *slot = chunk->ch_base + (size_t)chunk->ch_touched * chunk->ch_size;

		if (guard(slot) != 0)
			return NULL;
		stack = &chunk->ch_stacks[chunk->ch_touched++];
		stack->st_chunk = chunk;
		stack->st_base = slot + lwkt_os_page_size();
		stack->st_size = chunk->ch_size - lwkt_os_page_size();
		list_init(&stack->st_link);
	}
	lwkt_sanitizer_forget(stack->st_base, stack->st_size);
	lwkt_sanitizer_stack_begins(&stack->st_sanitizer);
	gd->gd_stats.st_stacks_created++;
	if (++chunk->ch_used == chunk->ch_nslots) {
		list_remove(&chunk->ch_link);
		list_append(chunks, &chunk->ch_link);
	}
	return stack;
}

void lwkt_stack_free(globaldata_t gd, struct lwkt_stack *stack)
{
	struct lwkt_chunk *chunk = stack->st_chunk;
	struct lwkt_list *chunks = &gd->gd_chunks[lwkt_stack_class(chunk->ch_size)];

	lwkt_sanitizer_forget(stack->st_base, stack->st_size);
	lwkt_sanitizer_stack_ends(&stack->st_sanitizer);
	gd->gd_stats.st_stacks_freed++;
	chunk->ch_used--;
	list_remove(&chunk->ch_link);
	if (chunk->ch_used == 0) {
		lwkt_os_unmap(chunk->ch_base, chunk->ch_size * chunk->ch_nslots);
		lwkt_os_free(chunk);
		return;
	}
	lwkt_os_advise(stack->st_base, stack->st_size, MADV_DONTNEED);
	stack->st_resident = NULL;
	list_append(&chunk->ch_freelist, &stack->st_link);
	list_append(chunks->next, &chunk->ch_link);
}

/** After a fork: all arenas of an rfork that is no more are gd's. */
void lwkt_stack_inherit(globaldata_t gd, globaldata_t from)
{
	for (unsigned cls = 0; cls < STACK_CLASSES; cls++)
		while (!list_empty(&from->gd_chunks[cls])) {
			struct lwkt_chunk *chunk = LIST_ENTRY(from->gd_chunks[cls].next, struct lwkt_chunk, ch_link);
			struct lwkt_list *chunks = &gd->gd_chunks[cls];

			chunk->ch_gd = gd;
			list_remove(&chunk->ch_link);
			list_append(chunk->ch_used == chunk->ch_nslots ? chunks : chunks->next, &chunk->ch_link); /* those with room come first */
		}
}
