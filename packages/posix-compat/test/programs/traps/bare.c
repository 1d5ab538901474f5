/* bare.c - a program without a C library, and so without thread-local storage, in which threads are its own doing: clone by hand, a futex for their end. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

static char stack[16384] __attribute__((aligned(16)));
static volatile int alive = 1, rseq[8] __attribute__((aligned(32)));

static long call(long number, long a, long b, long c, long d, long e)
{
	register long fourth __asm__("r10") = d, fifth __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth) : "rcx", "r11", "memory");
	return result;
}

__attribute__((used)) static void in_thread(void)
{
	call(SYS_write, 1, (long)"thread\n", 7, 0, 0);
	call(SYS_exit, 0, 0, 0, 0, 0);
}

__attribute__((used)) static void begin(void)
{
	const long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	register long ctid __asm__("r10") = (long)&alive, tls __asm__("r8") = 0;
	long tid;

	__asm__ volatile("syscall\n test %%eax, %%eax\n jnz 1f\n xor %%ebp, %%ebp\n call in_thread\n1:" : "=a"(tid) : "0"(SYS_clone), "D"(flags), "S"(stack + sizeof stack), "d"(0L), "r"(ctid), "r"(tls) : "rcx", "r11", "memory");
	while (alive)
		call(SYS_futex, (long)&alive, FUTEX_WAIT, 1, 0, 0);
	call(SYS_exit_group, call(SYS_rseq, (long)rseq, 32, 0, 0x53053053, 0) == -38 /* ENOSYS */ ? 38 : 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call begin\n hlt");
