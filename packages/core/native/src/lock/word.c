/*
 * word.c - locking a word: what kernel threads share without an owner is guarded so, for a few instructions (lwkt_kernel.h says what must not be done
 * meanwhile).
 */
#include "cpu.h"
#include "lwkt_kernel.h"
#include "os/os.h"

void lwkt_word_lock(uint32_t *word)
{
	unsigned spins = 0;

	while (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE))
		if (++spins % 64 == 0)
			lwkt_os_yield();
		else
			lwkt_arch_pause();
}
