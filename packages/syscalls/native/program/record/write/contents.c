/*
 * contents.c - files that a recorded program maps, or reads at once: what is in them is in the recording once, for all processes. A file is known by its number, size and times. One that was
 * changed a moment ago might be changed again within the same tick of the file system's clock: that is known by a hash of what is in it.
 */
#include "record.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define CONTENT_AT 0x128000000000ull
#define PROBES 16
#define WHOLE_FROM 4 /* who maps a quarter of it at once is about to map the rest */
#define MOMENT 2 /* s: no file system's clock is coarser */

static uint64_t page_up(uint64_t n) { return (n + RECORD_PAGE - 1) & ~(uint64_t)(RECORD_PAGE - 1); } /* behind it are zeros, as behind a file's end */

/** Where a content is in the file; 0: it is not there, and `place` is for it in the index, or NULL: that has no room. */
static uint64_t find_content(const struct hash *hash, uint64_t length, struct record_content **place)
{
	*place = NULL;
	for (unsigned i = 0; i < PROBES; i++) {
		struct record_content *c = &log_head->rh_contents[(hash->a + i) % RECORD_CONTENTS];
		const uint32_t state = __atomic_load_n(&c->ct_state, __ATOMIC_ACQUIRE);

		if (state == CONTENT_THERE && c->ct_hash[0] == hash->a && c->ct_hash[1] == hash->b && c->ct_length == length)
			return c->ct_at;
		if (state == CONTENT_FREE) {
			*place = c;
			break;
		}
	}
	return 0;
}

static void note_content(const struct hash *hash, uint64_t length, uint64_t at, struct record_content *c)
{
	uint32_t free = CONTENT_FREE;

	if (log_is_over || !c || !__atomic_compare_exchange_n(&c->ct_state, &free, CONTENT_TAKEN, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) /* another process: it is in the file twice */
		return;
	c->ct_hash[0] = hash->a;
	c->ct_hash[1] = hash->b;
	c->ct_length = length;
	c->ct_at = at;
	__atomic_store_n(&c->ct_state, CONTENT_THERE, __ATOMIC_RELEASE);
}

static void has_identity(struct hash *hash, const struct stat *about, uint64_t offset)
{
	const uint64_t words[] = {about->st_dev,          about->st_ino,          (uint64_t)about->st_size,          (uint64_t)about->st_mtim.tv_sec,
	                          (uint64_t)about->st_mtim.tv_nsec, (uint64_t)about->st_ctim.tv_sec, (uint64_t)about->st_ctim.tv_nsec, offset};

	hash_begin(hash);
	hash_add(hash, words, sizeof(words));
}

static bool is_new(const struct stat *about)
{
	struct timespec now = {0};

	kernel_call(SYS_clock_gettime, CLOCK_REALTIME, &now);
	return about->st_ctim.tv_sec + MOMENT >= now.tv_sec;
}

/** A part of the file, by way of memory. Where it is; 0: it can't be mapped. */
static uint64_t add_part(int from, const struct stat *about, uint64_t offset, uint64_t length)
{
	struct record_content *c;
	struct hash hash;
	uint64_t place;
	long base;

	has_identity(&hash, about, offset);
	place = find_content(&hash, length, &c);
	if (place)
		return place;
	base = kernel_call(SYS_mmap, CONTENT_AT, length, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, from, offset);
	if (is_error(base))
		return 0;
	if (is_new(about)) {
		hash_begin(&hash);
		hash_add(&hash, (const void *)base, length);
		place = find_content(&hash, length, &c);
	}
	if (!place) {
		place = log_take(page_up(length), RECORD_PAGE);
		log_put((uint64_t)base, length, place);
		note_content(&hash, length, place, c);
	}
	kernel_call(SYS_munmap, base, length);
	return place;
}

/** Where a part of the file is, whose most parts are mapped, one after the other as a rule: all of it is there then, once. */
static uint64_t add(int from, const struct stat *about, uint64_t offset, uint64_t length)
{
	const uint64_t size = (uint64_t)about->st_size;
	struct record_content *c;
	struct hash hash;
	uint64_t whole;

	has_identity(&hash, about, 0);
	whole = size <= CONTENT_MAX ? find_content(&hash, size, &c) : 0;
	if (!whole && size <= CONTENT_MAX && length >= size / WHOLE_FROM && !is_new(about))
		whole = add_part(from, about, 0, size);
	return whole ? whole + offset : add_part(from, about, offset, length);
}

int64_t log_add_contents(int from, uint64_t offset, uint64_t length, uint64_t address)
{
	struct stat about;
	uint64_t done = 0;

	if (log_is_over)
		return 0;
	if (kernel_call(SYS_fstat, from, &about) || (about.st_mode & S_IFMT) != S_IFREG)
		return -EINVAL;
	if (offset >= (uint64_t)about.st_size)
		return 0;
	if (length > (uint64_t)about.st_size - offset)
		length = (uint64_t)about.st_size - offset;
	while (done < length) {
		const uint64_t n = length - done < CONTENT_MAX ? length - done : CONTENT_MAX;
		struct {
			struct piece piece;
			uint64_t place;
		} part = {.piece = {.pc_address = address + done, .pc_length = (uint32_t)n, .pc_what = PIECE_OUT | PIECE_CONTENT}};

		part.place = add(from, &about, offset + done, n);
		if (!part.place)
			return -EACCES;
		log_add(&part, sizeof(part));
		done += n;
	}
	return (int64_t)done;
}

/** Who reads a stream does so by pieces of this or a multiple; who has asked for a file's size reads just that, as compilers do. */
static bool may_be_whole(uint64_t n) { return n >= RECORD_PAGE && n <= CONTENT_MAX && n % RECORD_PAGE; }

bool log_add_whole_read(int from, uint64_t n, uint64_t address)
{
	struct {
		struct piece piece;
		uint64_t place;
	} all = {.piece = {.pc_address = address, .pc_length = (uint32_t)n, .pc_what = PIECE_OUT | PIECE_CONTENT}};
	struct record_content *c;
	struct stat about;
	struct hash hash;

	if (log_is_over || !may_be_whole(n) || kernel_call(SYS_fstat, from, &about) || (about.st_mode & S_IFMT) != S_IFREG || (uint64_t)about.st_size != n ||
	    kernel_call(SYS_lseek, from, 0, SEEK_CUR) != (long)n)
		return false;
	has_identity(&hash, &about, 0);
	all.place = find_content(&hash, n, &c);
	if (!all.place) {
		if (is_new(&about))
			return false;
		all.place = log_take(page_up(n), RECORD_PAGE);
		if (log_put(address, n, all.place) != n)
			return false;
		note_content(&hash, n, all.place, c);
	}
	log_add(&all, sizeof(all));
	return true;
}
