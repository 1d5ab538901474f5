/*
 * forks.c - several threads fork at the same time, while another one computes and makes no calls: every rfork must stand still for each fork.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 6
#define FORKS 60

static volatile int stop;

static void *computes(void *arg)
{
	while (!stop)
		;
	return arg;
}

static void *forks(void *arg)
{
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(7);
		if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7)
			++*(int *)arg;
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS], computing;
	int right[THREADS] = {0}, sum = 0;

	pthread_create(&computing, NULL, computes, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, forks, &right[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += right[i];
	}
	stop = 1;
	pthread_join(computing, NULL);
	printf("%d\n", sum);
	return 0;
}
