/*
 * read.c - a recording as a replay reads it: all of the file is mapped. The records of a stream lie in the pieces that have gone from its window to the file's end, one after the
 * other, and then in the window.
 *
 * Invariant: what is in the window counts only if it is not the last such piece: the process was killed then while it was about to use the window again.
 */
#include "record.h"
#include "own.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define WHOLE_AT 0x130000000000ull

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

static const char *whole;
static uint64_t whole_size;
static const struct record_extent *next_extent;
static const struct record *next;
static const struct record_extent *populated;
static uint64_t events;
static unsigned escapes; /* a note's number, or 0 */
static int shared_memory = -1;


static const struct record_extent *extent_at(uint64_t place)
{
	const struct record_extent *e = log_at(place, sizeof(*e));

	return e && e->ex_magic == EXTENT_MAGIC && log_at(place, e->ex_size) ? e : NULL;
}

static const struct record_extent *window_of(uint32_t stream) { return extent_at((uint64_t)stream * RECORD_PAGE); }

/** Where a stream begins. */
static const struct record_extent *first_extent(uint32_t stream)
{
	const struct record_extent *window = window_of(stream);

	return window && window->ex_first ? extent_at(window->ex_first) : window;
}

static const struct record_extent *extent_after(const struct record_extent *e)
{
	const struct record_extent *window;

	if (e->ex_next)
		return extent_at(e->ex_next);
	window = window_of(e->ex_stream);
	return window && window != e && window->ex_seq == e->ex_seq + 1 ? window : NULL;
}

/** All of it will be read: its pages come at once. */
static void will_read(const struct record_extent *e)
{
	const uint64_t begin = (uint64_t)e & ~(uint64_t)(RECORD_PAGE - 1), end = ((uint64_t)e + e->ex_size + RECORD_PAGE - 1) & ~(uint64_t)(RECORD_PAGE - 1);

	kernel_call(SYS_madvise, begin, end - begin, MADV_POPULATE_READ);
}

/** The record there, or, where there is none, the first of the stream's next extent. */
static const struct record *whole_record(const struct record_extent **e, const char *place)
{
	for (;;) {
		const struct record *r = (const struct record *)place;
		const char *end = (const char *)*e + (*e)->ex_size;

		if (place + sizeof(*r) <= end && r->re_size) {
			if (r->re_size < sizeof(*r) || (r->re_size & 7) || r->re_size > (uint64_t)(end - place))
				return NULL;
			return r;
		}
		*e = extent_after(*e);
		if (!*e)
			return NULL;
		place = (const char *)(*e + 1);
	}
}

static const struct record *after(const struct record_extent **e, const struct record *r)
{
	return whole_record(e, (const char *)r + r->re_size);
}

void log_open(const char *path, int inherited)
{
	struct stat about;
	long base;

	if (inherited >= 0)
		own_keep_inherited(inherited);
	log_fd = inherited >= 0 ? inherited : log_open_file(path, O_RDONLY);
	if (kernel_call(SYS_fstat, log_fd, &about) || (uint64_t)about.st_size <= RECORD_HEAD_SIZE)
		program_fail(125, path, "is no recording of a program");
	base = kernel_call(SYS_mmap, WHOLE_AT, about.st_size, PROT_READ, MAP_PRIVATE | MAP_FIXED, log_fd, 0);
	if (is_error(base) || ((const struct record_head *)base)->rh_magic != RECORD_MAGIC)
		program_fail(125, path, "is no recording of a program");
	if (((const struct record_head *)base)->rh_version != RECORD_VERSION)
		program_fail(125, path, "is a recording by another version of libcr");
	whole = (const char *)base;
	whole_size = (uint64_t)about.st_size;
}

void log_read(uint32_t stream)
{
	next_extent = first_extent(stream);
	if (!next_extent)
		program_fail(125, "replay", "the recording is cut off: a process of it is not there");
	next = whole_record(&next_extent, (const char *)(next_extent + 1));
	events = escapes = 0;
}

void log_share_new(int memory)
{
	if (memory >= 0)
		own_keep_inherited(memory);
	shared_memory = memory >= 0 ? memory : own_move_inherited((int)kernel_call(SYS_memfd_create, "replay", 0));
	if (memory < 0 && out_set_length(shared_memory, RECORD_HEAD_SIZE))
		program_fail(125, "replay", "there is no memory, or a file may not be so long (ulimit -f)");
	log_map_head(shared_memory);
}

void log_put_aside_read(struct read_aside *aside)
{
	*aside = (struct read_aside){.extent = next_extent, .populated = populated, .next = next, .events = events, .escapes = escapes};
}

void log_read_again(const struct read_aside *aside)
{
	next_extent = aside->extent;
	populated = aside->populated;
	next = aside->next;
	events = aside->events;
	escapes = aside->escapes;
}

int log_shared_memory(void) { return shared_memory; }

static bool is_event(const struct record *r) { return r->re_kind < RECORD_HEADER; }

const struct record *log_next(void)
{
	while (next && !is_event(next)) {
		if (next->re_kind == RECORD_NOTE && next->re_number)
			escapes = next->re_number;
		next = after(&next_extent, next);
	}
	if (next && escapes == NOTE_ESCAPES) /* the execve has failed */
		escapes = 0;
	return next;
}

const struct record *log_next_of(int tid)
{
	const struct record_extent *e = next_extent;
	const struct record *r = next;

	while (r && (!is_event(r) || r->re_tid != tid))
		r = after(&e, r);
	return r;
}

void log_step(void)
{
	if (!log_next())
		return;
	next = after(&next_extent, next);
	events++;
	if (next_extent != populated) {
		populated = next_extent;
		if (populated)
			will_read(populated);
	}
}

uint64_t log_events(void) { return events; }

bool log_escapes(void) { return escapes; }

const char *log_ended(void)
{
	const uint32_t error = ((const struct record_head *)whole)->rh_ended;

	return error ? error_text(error) : NULL;
}

static const struct record *look_for(const struct record_extent **e, const struct record *r, enum record_kind kind)
{
	while (r && r->re_kind != kind)
		r = after(e, r);
	return r;
}

const struct record *log_first(uint32_t stream, const struct record_extent **e, enum record_kind kind)
{
	*e = first_extent(stream);
	return *e ? look_for(e, whole_record(e, (const char *)(*e + 1)), kind) : NULL;
}

const struct record *log_after(const struct record_extent **e, const struct record *record, enum record_kind kind)
{
	return look_for(e, after(e, record), kind);
}

const void *log_at(uint64_t offset, uint64_t length)
{
	return offset <= whole_size && length <= whole_size - offset ? whole + offset : NULL;
}

long log_map(uint64_t address, uint64_t length, int protection, uint64_t offset)
{
	return kernel_call(SYS_mmap, address, length, protection, MAP_PRIVATE | MAP_FIXED, log_fd, offset);
}

static size_t size_of(const struct piece *piece)
{
	const size_t bytes = piece->pc_what & (PIECE_CONTENT | PIECE_AGAIN) ? 8 : piece->pc_what & (PIECE_PLACE | PIECE_SHOWN | PIECE_KEPT) ? 0 : piece->pc_length;

	return sizeof(*piece) + ((bytes + 7) & ~7ul);
}

const void *piece_bytes(const struct piece *piece)
{
	const uint64_t *word = (const uint64_t *)(piece + 1);

	if (piece->pc_what & PIECE_AGAIN)
		return piece->pc_length == RECORD_PAGE ? kept_block(*word) : NULL;
	return piece->pc_what & PIECE_CONTENT ? log_at(*word, piece->pc_length) : piece + 1;
}

const struct piece *record_piece(const struct record *r, const struct piece *piece)
{
	const char *begin = piece ? (const char *)piece + size_of(piece) : (const char *)(record_args(r) + r->re_nargs);
	const char *end = (const char *)r + r->re_size;

	return begin + sizeof(*piece) <= end && begin + size_of((const struct piece *)begin) <= end ? (const struct piece *)begin : NULL;
}
