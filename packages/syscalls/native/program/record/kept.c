/*
 * kept.c - blocks that the program has lately written itself. When it reads one again the recording names it instead of having it: a database that does not fit into its cache reads for the
 * most part what it wrote a moment ago.
 *
 * The recording knows the blocks by hash, the replay has them: it makes the same writes, in the same order. Which are kept the recording says, with the write (PIECE_KEPT), so a replay decides
 * nothing. Of a process and of its forks' children, which have a copy each; a child of vfork keeps none, as the memory is its parent's.
 *
 * Invariants:
 *  - A block's number is how many were kept before. The last KEPT are there, in both.
 *  - What is kept is what lies in memory when the write's event is written, and when it is read again: between two events the program is where it was.
 */
#include "record.h"

#include <sys/mman.h>

#define BLOCK RECORD_PAGE
#define KEPT 16384u           /* blocks: 64 MiB of a replay */
#define SLOTS (2 * KEPT)      /* by hash: the last one that came to a slot has it */
#define KEPT_AT 0x12e000000000ull
#define CREDIT_FIRST (KEPT / 4) /* blocks that are kept before one is read again */
#define CREDIT_MAX KEPT
#define CREDIT_HIT 16
#define COLD 4096             /* blocks that were looked for in vain, one after the other */
#define SAMPLED 16            /* of who neither reads again what he writes nor writes what he reads, one call in so many is looked at */

static struct kept {
	uint64_t a, b;
	uint64_t number; /* 1 + a block's; 0: none */
} slots[SLOTS];
static uint64_t next; /* the next block's number */
static unsigned credit = CREDIT_FIRST, cold, calls;

static bool is_sampled(void) { return calls++ % SAMPLED == 0; }

static bool hash_block(struct hash *hash, uint64_t address)
{
	static char block[BLOCK]; /* one rfork, and nobody is switched to here */

	if (copyin(block, address, BLOCK))
		return false;
	hash_begin(hash);
	hash_add(hash, block, BLOCK);
	return true;
}

static struct kept *slot_of(const struct hash *hash) { return &slots[(hash->a ^ hash->b) % SLOTS]; }

/* ------------------------------------------------ recording */

static void keep(const struct hash *hash)
{
	*slot_of(hash) = (struct kept){hash->a, hash->b, ++next};
	credit -= credit > 0;
}

/** All that it was made with is one block, which is as it was then: the hash of that is known. */
static bool is_known(const struct capture *c, long result)
{
	return c->call.given.sm_args[2] == BLOCK && result == BLOCK && curproc()->p_nlwps == 1;
}

void kept_add_write(const struct capture *c, long result)
{
	const uint64_t number = (uint64_t)c->call.given.sm_number, address = (uint64_t)c->call.given.sm_args[1];
	struct piece piece = {.pc_address = address, .pc_what = PIECE_KEPT};
	struct hash hash = c->hash;

	if ((number != SYS_write && number != SYS_pwrite64) || result < (long)BLOCK || curproc()->p_vforked_by || (!credit && !is_sampled()))
		return;
	for (uint64_t at = address; at + BLOCK <= address + (uint64_t)result && piece.pc_length < KEPT * BLOCK; at += BLOCK) {
		if (!is_known(c, result) && !hash_block(&hash, at))
			break;
		keep(&hash);
		piece.pc_length += BLOCK;
	}
	if (piece.pc_length)
		log_add(&piece, sizeof(piece));
}

/** Its number, or -1. */
static int64_t find(uint64_t address)
{
	const struct kept *slot;
	struct hash hash;

	if (!hash_block(&hash, address))
		return -1;
	slot = slot_of(&hash);
	if (slot->number && slot->a == hash.a && slot->b == hash.b && next - slot->number < KEPT) {
		cold = 0;
		credit = credit + CREDIT_HIT < CREDIT_MAX ? credit + CREDIT_HIT : CREDIT_MAX;
		return (int64_t)slot->number - 1;
	}
	cold += cold < COLD;
	return -1;
}

/** One block: named, or as it is (number is -1). */
static void add_block(uint64_t address, int64_t number)
{
	const struct {
		struct piece piece;
		uint64_t number;
	} again = {.piece = {.pc_address = address, .pc_length = BLOCK, .pc_what = PIECE_OUT | PIECE_AGAIN}, .number = (uint64_t)number};

	if (number < 0)
		log_add_piece(address, BLOCK, PIECE_OUT);
	else
		log_add(&again, sizeof(again));
}

void kept_add_read(uint64_t address, uint64_t n)
{
	const bool looks = next && n % BLOCK == 0 && n <= KEPT * BLOCK && !curproc()->p_vforked_by && (cold < COLD || is_sampled());
	const int64_t first = looks ? find(address) : -1;

	if (first < 0) { /* as a rule, none of it */
		log_add_piece(address, n, PIECE_OUT);
		return;
	}
	add_block(address, first);
	for (uint64_t done = BLOCK; done < n; done += BLOCK)
		add_block(address + done, find(address + done));
}

/* ------------------------------------------------ replaying */

static char *place_of(uint64_t number) { return (char *)KEPT_AT + number % KEPT * BLOCK; }

static void make_room(void)
{
	const uint64_t size = (uint64_t)KEPT * BLOCK;

	if (is_error(kernel_call(SYS_mmap, KEPT_AT, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0)))
		replay_fail("there is no memory for what the program has written");
	kernel_call(SYS_madvise, KEPT_AT, size, MADV_HUGEPAGE);
}

void kept_take(const struct piece *piece)
{
	static bool is_there;

	if (!is_there)
		make_room();
	is_there = true;
	for (uint64_t done = 0; done < piece->pc_length; done += BLOCK, next++)
		if (copyin(place_of(next), piece->pc_address + done, BLOCK))
			replay_fail("what the program has written is not there");
}

const void *kept_block(uint64_t number) { return number < next && next - number <= KEPT ? place_of(number) : NULL; }
