/*
 * log.c - a recording's file, as it is written. Records of each process are written into its window, a piece of the file that is mapped as shared memory: so what was written is in the file
 * whatever ends the process, and costs no call. When the window is full its records go to the file's end by one call, and it is used again: pages of a file
 * that were never written are dear, and those of the window are few.
 *
 * A window is small where a process is about to run another program, as a rule: it is taken from the disk as a whole. What fits into none is put together elsewhere, and goes to the
 * file's end by itself.
 *
 * A stream is known by the page of its window; the pieces that were in there are linked.
 *
 * Invariant: a piece that is in the file twice, as the process ended just there, is told from the next one by ex_seq. file.c has the file, contents.c what is no record, replay/read.c the other side.
 */
#include "record.h"

#include <sys/mman.h>
#include <sys/uio.h>

#define WINDOW_AT 0x120000000000ull
#define WINDOW_MAX (128u << 10)
#define SPILL_AT 0x12d000000000ull
#define SPILL_SIZE (512u << 10)
#define SMALLEST_WINDOW (16u << 10)
#define LARGE_PIECE (8u << 10)
#define LARGE_RECORD (32u << 10)
#define LARGE_EXTENT (16u << 10)
#define SMALL_PIECE 64
#define SLACK (sizeof(struct record)) /* behind a record, for the next one's size */

static struct record_extent *window;
static unsigned window_number;  /* those of a vfork's parents are there, too */
static bool is_spilled;         /* the record under way is elsewhere */
static uint64_t last_place;     /* in the file; 0: nothing has gone from the window */
static char *at;                /* where the record under way ends */
static struct record *under_way;

static void put(const void *bytes, uint64_t n, uint64_t place)
{
	if (log_put((uint64_t)bytes, n, place) != n)
		log_fail(-EIO);
}

/** By one call, if the file system does it at once. */
static void put_extent(const struct record_extent *head, const void *bytes, uint64_t n, uint64_t place)
{
	if (!log_may_write(place + sizeof(*head) + n))
		return;
	const struct iovec parts[] = {{(void *)(uintptr_t)head, sizeof(*head)}, {(void *)(uintptr_t)bytes, n}};

	if (kernel_call(SYS_pwritev, log_fd, parts, 2, place, 0) == (long)(sizeof(*head) + n))
		return;
	put(bytes, n, place + sizeof(*head));
	put(head, sizeof(*head), place);
}

/* ------------------------------------------------ the window */

static char *records(void) { return (char *)(window + 1); }

/** Records, as the stream's next extent. */
static void add_extent(const void *bytes, uint64_t n)
{
	struct record_extent head = *window;
	uint64_t place;

	if (log_is_over)
		return;
	place = log_take(sizeof(head) + n, n >= LARGE_EXTENT ? RECORD_PAGE : 8); /* who begins in the middle of a page pays for two */

	head.ex_size = sizeof(head) + n;
	head.ex_first = 0;
	put_extent(&head, bytes, n, place);
	if (log_is_over) /* just now: what is there is in the window, which stays as it is in the file */
		return;
	if (last_place)
		put(&place, sizeof(place), last_place + offsetof(struct record_extent, ex_next));
	else
		window->ex_first = place;
	last_place = place;
}

/** What is in the window goes to the file's end, but for the record under way, which begins it then. */
static void flush(void)
{
	char *end = under_way ? (char *)under_way : at;
	const uint64_t size = (uint64_t)(end - (char *)window), kept = (uint64_t)(at - end);

	if (end == records())
		return;
	add_extent(records(), size - sizeof(*window));
	memmove(records(), end, kept);
	at = records() + kept;
	if (under_way)
		under_way = (struct record *)records();
	else
		memset(at, 0, SLACK);
	__atomic_store_n(&window->ex_seq, window->ex_seq + 1, __ATOMIC_RELEASE);
}

static size_t room_left(void) { return (size_t)((is_spilled ? (char *)SPILL_AT + SPILL_SIZE : (char *)window + window->ex_size) - at) - SLACK; }

/** The window has nothing but the record under way, and no room for it. */
static void spill(void)
{
	const size_t kept = (size_t)(at - (char *)under_way);
	const long base = kernel_call(SYS_mmap, SPILL_AT, SPILL_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (is_error(base))
		log_fail(base);
	memcpy((void *)base, under_way, kept);
	under_way = (struct record *)base;
	at = (char *)base + kept;
	is_spilled = true;
}

/** It is whole. */
static void end_spilled(void)
{
	add_extent(under_way, (uint64_t)(at - (char *)under_way));
	kernel_call(SYS_munmap, SPILL_AT, SPILL_SIZE);
	is_spilled = false;
	at = records();
	memset(at, 0, SLACK);
	__atomic_store_n(&window->ex_seq, window->ex_seq + 1, __ATOMIC_RELEASE);
}

void *log_room(size_t n)
{
	void *room;

	if (n > room_left())
		flush();
	if (n > room_left() && under_way && !is_spilled)
		spill();
	if (n > room_left())
		program_fail(125, "record", "an event is too large for a recording");
	room = at;
	at += n;
	return room;
}

struct record *log_begin(enum record_kind kind, uint16_t number, int tid)
{
	struct record *r = log_room(sizeof(*r));

	*r = (struct record){.re_kind = (uint8_t)kind, .re_number = number, .re_tid = tid};
	under_way = r;
	return r;
}

struct record *log_under_way(void) { return under_way; }

size_t log_size(void) { return (size_t)(at - (char *)under_way); }

void log_add(const void *bytes, size_t n)
{
	memcpy(log_room(n), bytes, n);
}

static void pad(void)
{
	const size_t n = -(uintptr_t)at & 7;

	if (n)
		memset(log_room(n), 0, n);
}

/** What is large goes to the file at once, and in a record that is large itself what is not very small. */
static bool add_apart(uint64_t address, size_t n, uint32_t what)
{
	const uint64_t place = log_take(n, 8);
	const struct {
		struct piece piece;
		uint64_t place;
	} apart = {.piece = {.pc_address = address, .pc_length = (uint32_t)n, .pc_what = what | PIECE_CONTENT}, .place = place};

	if (log_put(address, n, place) != n)
		return false;
	log_add(&apart, sizeof(apart));
	return true;
}

bool log_add_piece(uint64_t address, size_t n, uint32_t what)
{
	const struct piece piece = {.pc_address = address, .pc_length = (uint32_t)n, .pc_what = what};

	if (n >= (log_size() > LARGE_RECORD ? SMALL_PIECE : LARGE_PIECE))
		return add_apart(address, n, what);
	log_add(&piece, sizeof(piece));
	if (copyin(log_room(n), address, n)) {
		at -= sizeof(piece) + n;
		return false;
	}
	pad();
	return true;
}

void log_end(void)
{
	pad();
	memset(at, 0, SLACK); /* something that was taken back may lie there */
	__atomic_store_n(&under_way->re_size, (uint32_t)(at - (char *)under_way), __ATOMIC_RELEASE);
	if (is_spilled)
		end_spilled();
	under_way = NULL;
}

/** In the file it stays as it is: what comes is in memory only. */
void log_leave_window(void)
{
	if (window && is_error(kernel_call(SYS_mmap, window, WINDOW_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, log_fd,
	                                   (uint64_t)window->ex_stream * RECORD_PAGE)))
		log_fail(-ENOMEM);
}

/* ------------------------------------------------ streams */

uint32_t log_new_stream(bool of_program)
{
	const uint64_t size = of_program ? WINDOW_MAX : SMALLEST_WINDOW, place = log_take(size, RECORD_PAGE);
	struct record_extent empty = {.ex_magic = EXTENT_MAGIC, .ex_size = size, .ex_stream = (uint32_t)(place / RECORD_PAGE)};
	long error;

	if (!log_may_write(place + size))
		return 0;
	error = kernel_call(SYS_fallocate, log_fd, 0, place, size); /* there is a signal for who has no room when it is written */
	if (error == -EOPNOTSUPP)
		error = kernel_call(SYS_pwrite64, log_fd, "", 1, place + size - 1) == 1 ? 0 : -EIO;
	if (error)
		log_end_here(error);
	put(&empty, sizeof(empty), place);
	return log_is_over ? 0 : empty.ex_stream;
}

void log_go_on(uint32_t stream)
{
	long base;

	under_way = NULL;
	last_place = 0;
	is_spilled = false;
	if (!stream)
		log_is_over = true;
	base = kernel_call(SYS_mmap, WINDOW_AT + (uint64_t)window_number * WINDOW_MAX, WINDOW_MAX, PROT_READ | PROT_WRITE,
	                   MAP_FIXED | (log_is_over ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), log_is_over ? -1 : log_fd,
	                   log_is_over ? 0 : (uint64_t)stream * RECORD_PAGE);
	if (is_error(base))
		log_fail(base);
	window = (struct record_extent *)base;
	if (log_is_over)
		*window = (struct record_extent){.ex_magic = EXTENT_MAGIC, .ex_size = WINDOW_MAX};
	at = records();
}

void log_put_aside(struct log_aside *aside)
{
	*aside = (struct log_aside){.window = window, .last_place = last_place, .at = at, .number = window_number++};
}

void log_again(const struct log_aside *aside)
{
	if (window != aside->window) /* the child has begun one */
		kernel_call(SYS_munmap, window, WINDOW_MAX);
	window = aside->window;
	last_place = aside->last_place;
	at = aside->at;
	window_number = aside->number;
	under_way = NULL;
	if (log_is_over) /* its child has found that: this one's would go on without what has no room */
		log_leave_window();
}
