/*
 * hash.c - two words of a content: by multiplying, in four lanes that do not wait for each other, as fast as memory is read. By this a recording has each content once, and a replay sees
 * that what a program writes is other than it was. It withstands chance, not intent.
 */
#include "record.h"

#define FIRST 0x9e3779b97f4a7c15ull
#define SECOND 0xc2b2ae3d27d4eb4full
#define THIRD 0x165667b19e3779f9ull
#define LANES 4

typedef uint64_t __attribute__((may_alias, aligned(1))) word; /* anywhere */

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void hash_begin(struct hash *hash)
{
	*hash = (struct hash){FIRST, SECOND};
}

/** Blocks of 64 bytes. */
static const word *add_blocks(struct hash *hash, const word *at, size_t blocks)
{
	uint64_t a = hash->a, b = hash->b, c = hash->a ^ THIRD, d = hash->b ^ THIRD;

	for (; blocks; blocks--, at += 2 * LANES) {
		a = mix(at[0] ^ FIRST, at[1] ^ a);
		b = mix(at[2] ^ SECOND, at[3] ^ b);
		c = mix(at[4] ^ THIRD, at[5] ^ c);
		d = mix(at[6] ^ FIRST, at[7] ^ d);
	}
	hash->a = mix(a ^ SECOND, c ^ FIRST) + d;
	hash->b = mix(b ^ THIRD, d ^ SECOND) + c;
	return at;
}

void hash_add(struct hash *hash, const void *bytes, size_t n)
{
	const word *at = bytes;
	uint64_t last[2] = {0, 0};

	hash->a ^= n;
	if (n >= 64)
		at = add_blocks(hash, at, n / 64);
	for (n %= 64; n >= 16; n -= 16, at += 2) {
		hash->a = mix(hash->a ^ at[0], at[1] ^ SECOND);
		hash->b = mix(hash->b ^ at[1], at[0] ^ FIRST);
	}
	for (size_t i = 0; i < n; i++)
		((char *)last)[i] = ((const char *)at)[i];
	hash->a = mix(hash->a ^ last[0], last[1] ^ SECOND);
	hash->b = mix(hash->b ^ last[1], last[0] ^ FIRST);
}
