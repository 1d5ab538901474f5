/*
 * stack.c - memory for stacks: arenas of equal slots, each with a guard page below it.
 *
 * One mapping serves many stacks: with MADV_GUARD_INSTALL (Linux 6.13) a guard page needs no mapping of its own, so that
 * vm.max_map_count (65,530) is no limit for the number of userthreads; where the kernel lacks it, mprotect costs two mappings a stack.
 * Memory is committed when touched. A freed slot's pages go back at once, a chunk's address space when all its slots are free.
 *
 * Invariant: the guard page of a slot is inaccessible from the moment the slot is first handed out.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define NO_ADVICE (-1) /* none that madvise knows */
#define MIN_PAGES 4u  /* of a slot, the guard page being one: 64 KiB are too few where a page has that many */
#define CHUNK_BYTES (16u << 20) /* address space of a chunk, unless one slot alone is larger */

/** The bytes of a page: 4 KiB on x86-64; on aarch64 it is the kernel's choice, up to 64 KiB. */
static size_t page_size(void)
{
	static _Atomic size_t known;
	size_t size = atomic_load_explicit(&known, memory_order_relaxed);

	if (size == 0) {
		size = (size_t)sysconf(_SC_PAGESIZE);
		atomic_store_explicit(&known, size, memory_order_relaxed);
	}
	return size;
}

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

/** The least that a stack can be. The C library makes TLS blocks on no smaller ones than it gives a thread (128 KiB on aarch64). */
static size_t least_size(bool tls)
{
	static _Atomic size_t known[2];
	size_t size = atomic_load_explicit(&known[tls], memory_order_relaxed);

	if (size == 0) {
		size = tls ? (size_t)sysconf(_SC_THREAD_STACK_MIN) + page_size() : 0;
		size = size < MIN_PAGES * page_size() ? MIN_PAGES * page_size() : size;
		atomic_store_explicit(&known[tls], size, memory_order_relaxed);
	}
	return size;
}

/** The stack size of a thread for which size bytes are asked: that of the smallest class that will do. */
size_t lwkt_stack_size_for(size_t size, bool tls)
{
	size_t least = least_size(tls);

	return lwkt_stack_class_size(lwkt_stack_class(size < least ? least : size));
}

/** Whether madvise is to be believed. An emulator (qemu-user) answers 0 to advice that it ignores, which a guard page can't be. */
static bool advice_is_taken(char *page)
{
	static _Atomic int known; /* 0: not yet; 1: yes; 2: no */

	if (atomic_load_explicit(&known, memory_order_relaxed) == 0)
		atomic_store_explicit(&known, madvise(page, page_size(), NO_ADVICE) != 0 ? 1 : 2, memory_order_relaxed);
	return atomic_load_explicit(&known, memory_order_relaxed) == 1;
}

static int guard(char *page)
{
	if (advice_is_taken(page) && madvise(page, page_size(), MADV_GUARD_INSTALL) == 0)
		return 0;
	return mprotect(page, page_size(), PROT_NONE);
}

static struct lwkt_chunk *chunk_map(globaldata_t gd, unsigned cls)
{
	size_t slot = lwkt_stack_class_size(cls);
	unsigned n = slot >= CHUNK_BYTES ? 1 : (unsigned)(CHUNK_BYTES / slot);
	struct lwkt_chunk *chunk = calloc(1, sizeof(*chunk) + n * sizeof(struct lwkt_stack));

	if (!chunk)
		return NULL;
	chunk->ch_base = mmap(NULL, slot * n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (chunk->ch_base == MAP_FAILED) {
		free(chunk);
		return NULL;
	}
	madvise(chunk->ch_base, slot * n, MADV_NOHUGEPAGE); /* or the first touch of a stack commits 2 MiB */
	chunk->ch_gd = gd;
	chunk->ch_size = slot;
	chunk->ch_nslots = n;
	list_init(&chunk->ch_freelist);
	list_init(&chunk->ch_link);
	return chunk;
}

/** A slot without a TLS block and without a resident; NULL where there is no memory. */
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
		stack->st_base = slot + page_size();
		stack->st_size = chunk->ch_size - page_size();
		list_init(&stack->st_link);
	}
	lwkt_sanitizer_forget(stack->st_base, stack->st_size);
	lwkt_sanitizer_stack_begins(&stack->st_sanitizer);
	stack->st_top = stack->st_base + stack->st_size;
	stack->st_ctx.fs = gd->gd_thread0.td_ctx.fs; /* the rfork's own, until it gets one */
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
	chunk->ch_used--;
	list_remove(&chunk->ch_link);
	if (chunk->ch_used == 0) {
		munmap(chunk->ch_base, chunk->ch_size * chunk->ch_nslots);
		free(chunk);
		return;
	}
	madvise(stack->st_base, stack->st_size, MADV_DONTNEED);
	stack->st_resident = NULL;
	stack->st_has_tls = false;
	list_append(&chunk->ch_freelist, &stack->st_link);
	list_append(chunks->next, &chunk->ch_link);
}
