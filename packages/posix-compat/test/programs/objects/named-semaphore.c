/* What glibc does with the semaphores of named.mjs. Usage: COMMAND NAME [N [NAME2]]. Prints what it has seen. */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	perror(what);
	exit(1);
}

static sem_t *get(const char *name, int flags, unsigned value)
{
	sem_t *sem = sem_open(name, flags, 0600, value);

	must(sem == SEM_FAILED, name);
	return sem;
}

int main(int argc, char **argv)
{
	const char *command = argv[1];
	unsigned n = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
	int value;

	if (strcmp(command, "unlink") == 0) {
		must(sem_unlink(argv[2]), "sem_unlink");
		return 0;
	}
	sem_t *sem = get(argv[2], strcmp(command, "create") == 0 ? O_CREAT | O_EXCL : 0, n);
	if (strcmp(command, "post") == 0)
		for (unsigned i = 0; i < n; i++)
			must(sem_post(sem), "sem_post");
	else if (strcmp(command, "wait") == 0) {
		puts("waits");
		fflush(stdout);
		for (unsigned i = 0; i < n; i++)
			must(sem_wait(sem), "sem_wait");
	} else if (strcmp(command, "answer") == 0) {
		sem_t *back = get(argv[4], 0, 0);
		for (unsigned i = 0; i < n; i++) {
			must(sem_wait(sem), "sem_wait");
			must(sem_post(back), "sem_post");
		}
	}
	must(sem_getvalue(sem, &value), "sem_getvalue");
	printf("%d\n", value);
	return 0;
}
