/*
 * small.c - what raw.c's build has no C library for: memory in small pieces, and the functions that the compiler calls by itself.
 *
 * Pieces of up to PIECE_MAX bytes come from slabs, a size class each; larger ones are a mapping each. Either begins with a struct slab at a multiple of
 * SLAB_BYTES, so that a piece's address tells where that is. A slab whose pieces have all come back goes back to the system, unless it is its
 * class' only one. Not fast and not for many kernel threads at once: libcr keeps what it uses often (threads, stacks) by itself.
 *
 * Invariant: all of a slab is touched under the lock only, but for the piece that somebody has.
 */
#include <stdbool.h>
#include <string.h>

#include "list.h"
#include "lwkt_kernel.h"
#include "os/os.h"

#define SLAB_BYTES 65536u
#define SLAB_HEADER 64u /* bytes before the first piece */
#define PIECE_MIN_SHIFT 6
#define CLASSES 6
#define PIECE_MAX (1u << (PIECE_MIN_SHIFT + CLASSES - 1)) /* 2 KiB */

struct piece {
	struct piece *next;
};

struct slab {
	struct lwkt_list link; /* in its class' list, while it has a piece to give */
	struct piece *returned;
	size_t mapped;     /* bytes in all */
	unsigned cls;      /* CLASSES: one large piece */
	unsigned used;     /* pieces that somebody has */
	unsigned untouched; /* offset of the first byte that has never been given; all above it are zero */
};

_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "the header fits");

static struct lwkt_list slabs[CLASSES]; /* those that have a piece to give */
static uint32_t lock;

/** size bytes, a multiple of a page, that begin at a multiple of SLAB_BYTES. */
static struct slab *map_aligned(size_t size)
{
	char *base = lwkt_os_map(size + SLAB_BYTES), *at;

	if (!base)
		return NULL;
	at = (char *)(((uintptr_t)base + SLAB_BYTES - 1) & ~(uintptr_t)(SLAB_BYTES - 1));
	if (at > base)
		lwkt_os_unmap(base, (size_t)(at - base));
	if (base + SLAB_BYTES > at)
		lwkt_os_unmap(at + size, (size_t)(base + SLAB_BYTES - at));
	((struct slab *)(void *)at)->mapped = size;
	return (struct slab *)(void *)at;
}

static void *alloc_large(size_t size)
{
	size_t page = lwkt_os_page_size();
	struct slab *slab;

	if (size > SIZE_MAX / 2)
		return NULL;
	slab = map_aligned((size + SLAB_HEADER + page - 1) / page * page);
	if (!slab)
		return NULL;
	slab->cls = CLASSES;
	return (char *)slab + SLAB_HEADER;
}

static size_t piece_size(unsigned cls)
{
	return (size_t)1 << (cls + PIECE_MIN_SHIFT);
}

static bool is_full(const struct slab *slab)
{
	return !slab->returned && slab->untouched + piece_size(slab->cls) > SLAB_BYTES;
}

/** A slab of the class with a piece to give; NULL where there is no memory. */
static struct slab *find_slab(unsigned cls)
{
	struct slab *slab;

	if (!slabs[cls].next)
		list_init(&slabs[cls]);
	if (!list_empty(&slabs[cls]))
		return LIST_ENTRY(slabs[cls].next, struct slab, link);
	slab = map_aligned(SLAB_BYTES);
	if (!slab)
		return NULL;
	slab->cls = cls;
	slab->untouched = SLAB_HEADER;
	list_append(&slabs[cls], &slab->link);
	return slab;
}

static void *take_piece(struct slab *slab)
{
	struct piece *piece = slab->returned;

	if (piece) {
		slab->returned = piece->next;
	} else {
		piece = (struct piece *)(void *)((char *)slab + slab->untouched);
		slab->untouched += (unsigned)piece_size(slab->cls);
	}
	slab->used++;
	if (is_full(slab))
		list_remove(&slab->link);
	return piece;
}

void *lwkt_os_alloc(size_t size)
{
	struct slab *slab;
	void *piece = NULL;
	unsigned cls = 0;

	if (size > PIECE_MAX)
		return alloc_large(size);
	while (piece_size(cls) < size)
		cls++;
	lwkt_word_lock(&lock);
	slab = find_slab(cls);
	if (slab)
		piece = take_piece(slab);
	lwkt_word_unlock(&lock);
	if (piece)
		memset(piece, 0, size);
	return piece;
}

/** Under the lock. Whether the slab is of no use any more. */
static bool return_piece(struct slab *slab, struct piece *piece)
{
	bool was_full = is_full(slab);

	piece->next = slab->returned;
	slab->returned = piece;
	slab->used--;
	if (was_full)
		list_append(&slabs[slab->cls], &slab->link);
	if (slab->used > 0 || slabs[slab->cls].next == slabs[slab->cls].prev)
		return false;
	list_remove(&slab->link);
	return true;
}

void lwkt_os_free(void *piece)
{
	struct slab *slab = (struct slab *)((uintptr_t)piece & ~(uintptr_t)(SLAB_BYTES - 1));
	bool useless = true;

	if (!piece)
		return;
	if (slab->cls < CLASSES) {
		lwkt_word_lock(&lock);
		useless = return_piece(slab, piece);
		lwkt_word_unlock(&lock);
	}
	if (useless)
		lwkt_os_unmap(slab, slab->mapped);
}

void lwkt_os_forked(void)
{
	lock = 0;
}

/* ---------------------------------------------------------------- what the compiler calls by itself */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *end = to;

	__asm__ volatile("rep movsb" : "+D"(end), "+S"(from), "+c"(size) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *t = to;
	const char *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= size)
		return memcpy(to, from, size);
	while (size--)
		__asm__ volatile("movb %1, %0" : "=m"(t[size]) : "q"(f[size])); /* or the compiler would see a memmove here */
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *end = to;

	__asm__ volatile("rep stosb" : "+D"(end), "+c"(size) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < size; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strnlen(const char *text, size_t max)
{
	size_t n = 0;

	while (n < max && text[n])
		n++;
	return n;
}
