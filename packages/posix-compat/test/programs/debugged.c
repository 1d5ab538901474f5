/* debugged.c - a thread with a function that has a few lines, for a debugger to go through. */
#include <pthread.h>
#include <stdio.h>

static int adds(int first, int second)
{
	int sum = first;
	sum += second;
	sum *= 2;
	return sum;
}

static void *worker(void *arg)
{
	*(int *)arg = adds(20, 1);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int sum;

	pthread_create(&thread, NULL, worker, &sum);
	pthread_join(thread, NULL);
	printf("the sum is %d\n", sum);
	return 3;
}
