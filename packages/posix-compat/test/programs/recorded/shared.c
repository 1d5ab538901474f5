/*
 * shared.c - for recordings: a child writes into memory that its parent has, too.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!fork()) {
		*at = 1;
		_exit(0);
	}
	wait(NULL);
	return !*at;
}
