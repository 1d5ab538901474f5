/*
 * where.c - where a program finds what its stack begins with: arguments, environment, their strings, the auxiliary vector's.
 */
#include <stdio.h>
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
	int n = 0;

	for (; environ[n]; n++)
		;
	printf("%d %p %p %p %p %p\n", argc, (void *)argv, (void *)argv[0], (void *)environ, (void *)environ[0], (void *)environ[n - 1]);
	printf("%#lx %#lx\n", getauxval(AT_EXECFN), getauxval(AT_RANDOM));
	return 0;
}
