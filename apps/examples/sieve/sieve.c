/*
 * sieve.c - a native userthread: sieves primes in a buffer that JavaScript has given it, and lets JavaScript's threads run every few thousand steps.
 */
#define LWKT_CLIENT_STUBS /* in one file of the library: defines what it calls of lwkt.h */
#include <errno.h>
#include <lwkt_client.h>
#include <string.h>

#define TURN 65536 /* bytes crossed out between two looks at the others */

/** native->arg: a byte for each number, which is left 1 exactly for primes. Returns how many there are. */
static int sieve(struct lwkt_native *native)
{
	unsigned char *prime = native->arg;
	size_t end = native->size, turn = TURN;

	if (end < 2)
		return EINVAL;
	memset(prime, 1, end);
	prime[0] = prime[1] = 0;
	for (size_t n = 2; n < end; n++) {
		if (!prime[n])
			continue;
		native->result++;
		for (size_t multiple = n * n; n <= end / n && multiple < end; multiple += n) {
			prime[multiple] = 0;
			if (--turn)
				continue;
			turn = TURN;
			lwkt_yield();
			if (lwkt_client_aborting()) /* td.abort(), or the program ends */
				return ECANCELED;
		}
	}
	return 0;
}
LWKT_NATIVE(sieve);
