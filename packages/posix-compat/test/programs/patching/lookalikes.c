/*
 * lookalikes.c - instructions that end in five bytes as `mov $39, %eax` has them, before a system call that is getpid's, number 39. Who takes them for that
 * breaks them. Each is made often, and prints how often it did what it should.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OFTEN 100

static char memory[256];

/** Makes getpid's call by these bytes, with eax set before, and rbx in the middle of memory. */
#define CALL(result, bytes)                                                                               \
	__asm__ volatile("movl $39, %%eax\n\tjmp 1f\n1:\t.byte " bytes "\n\tsyscall"                           \
			 : "=a"(result)                                                                               \
			 : "b"(memory + 128)                                                                          \
			 : "rcx", "r11", "rdi", "r8", "memory", "cc")

int main(void)
{
	long stored = 0, stored_far = 0, other = 0, loaded = 0, right = 0, pid = getpid(), result;

	for (int i = 0; i < OFTEN; i++) {
		int *near = (int *)(memory + 128 - 0x48);
		long r8 = 0, rdi = 0;

		*near = 0;
		CALL(result, "0xc7, 0x43, 0xb8, 39, 0, 0, 0"); /* movl $39, -72(%rbx) */
		stored += *near == 39 && result == pid;
		*near = 0;
		CALL(result, "0xc7, 0x44, 0x23, 0xb8, 39, 0, 0, 0"); /* movl $39, -72(%rbx,%riz) */
		stored_far += *near == 39 && result == pid;
		__asm__ volatile("movl $39, %%eax\n\txorl %%r8d, %%r8d\n\t.byte 0x41, 0xb8, 39, 0, 0, 0\n\tsyscall\n\tmovq %%r8, %1" /* mov $39, %r8d */
				 : "=&a"(result), "=r"(r8)
				 :
				 : "rcx", "r11", "r8", "memory", "cc");
		other += r8 == 39 && result == pid;
		__asm__ volatile("movl $39, %%eax\n\t.byte 0x48, 0x8d, 0xb8, 39, 0, 0, 0\n\tsyscall\n\tmovq %%rdi, %1" /* lea 39(%rax), %rdi */
				 : "=&a"(result), "=r"(rdi)
				 :
				 : "rcx", "r11", "rdi", "memory", "cc");
		loaded += rdi == 78 && result == pid;
		CALL(result, "0xb8, 39, 0, 0, 0"); /* the real one */
		right += result == pid;
	}
	printf("%ld %ld %ld %ld %ld of %d\n", stored, stored_far, other, loaded, right, OFTEN);
	return 0;
}
