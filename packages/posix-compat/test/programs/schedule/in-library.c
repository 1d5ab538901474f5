/*
 * in-library.c - a lost update of which all is in a shared library: compiled with -DLIBRARY it is that, else the program whose threads load the library argv[1], run what is
 * in it, and unload it, again and again. Ends with 1 where an update was lost.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define ROUNDS 20
#define LOADS 3

#ifdef LIBRARY

void add_all(volatile long *number);

void add_all(volatile long *number)
{
	for (int i = 0; i < ROUNDS; i++) {
		long value = *number;

		*number = value + 1;
	}
}

#else

static volatile long number;

static void *run(void *path)
{
	for (int i = 0; i < LOADS; i++) {
		void *library = dlopen(path, RTLD_NOW);
		void (*add_all)(volatile long *) = library ? (void (*)(volatile long *))dlsym(library, "add_all") : NULL;

		if (!add_all) {
			fprintf(stderr, "%s\n", dlerror());
			return NULL;
		}
		add_all(&number);
		dlclose(library);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	(void)argc;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, run, argv[1]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("number %ld\n", number);
	return number != 2 * LOADS * ROUNDS;
}

#endif
