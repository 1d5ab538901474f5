/* random.c - what is random from run to run: the kernel's numbers, and addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define BYTES 16

static void show(const char *what, const unsigned char *bytes)
{
	printf("%s ", what);
	for (int i = 0; i < BYTES; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

int main(void)
{
	unsigned char bytes[BYTES];
	FILE *file = fopen("/dev/urandom", "r");

	if (!file || getrandom(bytes, BYTES, 0) != BYTES)
		return 1;
	show("getrandom", bytes);
	setvbuf(file, NULL, _IONBF, 0);
	if (fread(bytes, 1, BYTES, file) != BYTES)
		return 1;
	show("urandom", bytes);
	printf("main %p, a local %p, the heap %p, libc %p\n", (void *)main, (void *)bytes, malloc(1), (void *)printf);
	return 0;
}
