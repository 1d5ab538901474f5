/* vectors.c - whether vector registers are what they were after a system call that is made here, and on a thread beside others. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int kept(uint64_t value)
{
	uint64_t after[3];
	long result;

	__asm__ volatile("movq %[value], %%xmm0; movq %[value], %%xmm7; movq %[value], %%xmm15; syscall; movq %%xmm0, %[a]; movq %%xmm7, %[b]; movq %%xmm15, %[c]"
	                 : "=a"(result), [a] "=m"(after[0]), [b] "=m"(after[1]), [c] "=m"(after[2])
	                 : "0"(SYS_getppid), [value] "r"(value)
	                 : "rcx", "r11", "xmm0", "xmm7", "xmm15", "memory");
	return result == getppid() && after[0] == value && after[1] == value && after[2] == value;
}

static void *keep(void *number)
{
	for (int i = 0; i < 2000; i++) {
		if (!kept((uintptr_t)number + (uint64_t)i))
			return "lost";
		if (i % 100 == 0)
			sched_yield();
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[4];
	void *lost = keep((void *)1);

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, keep, (void *)(i * 100000));
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		lost = lost ? lost : result;
	}
	printf("%s\n", lost ? (char *)lost : "kept");
	return lost != NULL;
}
