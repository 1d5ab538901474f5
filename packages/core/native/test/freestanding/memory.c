/*
 * memory.c - small.c: pieces of all sizes are zeroed, do not overlap, and their memory goes back to the system; and what the compiler calls by itself.
 */
#include <linux/fcntl.h>

#include "program.h"

#define PIECES 3000

static unsigned char *pieces[PIECES];
static size_t sizes[PIECES];

/** Pages of address space that the process has. */
static long pages_now(void)
{
	char text[128];
	long fd = lwkt_arch_syscall(SYS_open, (long)"/proc/self/statm", O_RDONLY, 0, 0, 0, 0), n, pages = 0;

	CHECK(fd >= 0);
	n = lwkt_arch_syscall(SYS_read, fd, (long)text, sizeof(text), 0, 0, 0);
	CHECK(n > 0);
	lwkt_arch_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	for (long i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		pages = 10 * pages + text[i] - '0';
	return pages;
}

static void fill(unsigned i)
{
	sizes[i] = i % 7 == 0 ? 3000 + i * 11 : 1 + i * 37 % 2048;
	pieces[i] = lwkt_os_alloc(sizes[i]);
	CHECK(pieces[i] != NULL && (uintptr_t)pieces[i] % 16 == 0);
	for (size_t k = 0; k < sizes[i]; k++)
		CHECK(pieces[i][k] == 0);
	memset(pieces[i], (int)(i % 255 + 1), sizes[i]);
}

static void empty(unsigned i)
{
	for (size_t k = 0; k < sizes[i]; k++)
		CHECK(pieces[i][k] == i % 255 + 1);
	lwkt_os_free(pieces[i]);
	pieces[i] = NULL;
}

static void pieces_come_and_go(void)
{
	long before, after;

	for (int round = 0; round < 3; round++) {
		before = pages_now();
		for (unsigned i = 0; i < PIECES; i++)
			fill(i);
		CHECK(pages_now() > before + 1000);
		for (unsigned i = 0; i < PIECES; i += 2) /* some, and others in their place */
			empty(i);
		for (unsigned i = 0; i < PIECES; i += 2)
			fill(i);
		for (unsigned i = PIECES; i-- > 0;)
			empty(i);
		after = pages_now();
		CHECK(after <= before + 6 * 16); /* a slab of each class stays */
	}
	lwkt_os_free(NULL);
	CHECK(lwkt_os_alloc((size_t)1 << 62) == NULL);
	CHECK(lwkt_os_alloc(~(size_t)0) == NULL);
}

static void bytes(void)
{
	unsigned char a[300], b[300];

	for (unsigned i = 0; i < 300; i++)
		a[i] = (unsigned char)(i * 7);
	CHECK(memcpy(b, a, 300) == b && memcmp(a, b, 300) == 0);
	b[299]++;
	CHECK(memcmp(a, b, 300) < 0 && memcmp(b, a, 300) > 0 && memcmp(a, b, 299) == 0);
	memmove(a + 3, a, 200);
	for (unsigned i = 0; i < 200; i++)
		CHECK(a[i + 3] == (unsigned char)(i * 7));
	memmove(a, a + 3, 200);
	for (unsigned i = 0; i < 200; i++)
		CHECK(a[i] == (unsigned char)(i * 7));
	memset(a, 0, 300);
	CHECK(a[0] == 0 && a[299] == 0);
	CHECK_EQ(strnlen("four", 10), 4);
	CHECK_EQ(strnlen("four", 2), 2);
}

int main(void)
{
	bytes();
	pieces_come_and_go();
	return 0;
}
