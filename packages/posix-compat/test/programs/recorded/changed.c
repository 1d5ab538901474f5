/* changed.c - for recordings: with -DCHANGED it does something else in the middle. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	printf("one\n");
	fflush(stdout);
#ifdef CHANGED
	printf("other\n");
#else
	printf("two %d\n", (int)time(NULL) % 7);
#endif
	fflush(stdout);
	printf("three\n");
	return 3;
}
