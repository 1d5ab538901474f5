/*
 * faults.c - for recordings: an instruction that ends the process; HARMLESS, it does not.
 */
#include <stdio.h>
#include <unistd.h>

static int there;
#ifdef HARMLESS
static int *volatile at = &there;
#else
static int *volatile at = (int *)8;
#endif

int main(void)
{
	printf("%d\n", (int)getpid());
	fflush(stdout);
	*at = 1;
	getppid();
	return there - 1;
}
