/* order-violation.c - a thread uses what is set after it was made. Ends with 1 where it comes first. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static char *volatile name;
static int length;

static void *measure(void *arg)
{
	char *found = name;

	length = found ? (int)strlen(found) : -1;
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, measure, NULL);
	name = strdup("hello");
	pthread_join(thread, NULL);
	printf("length %d\n", length);
	return length != 5;
}
