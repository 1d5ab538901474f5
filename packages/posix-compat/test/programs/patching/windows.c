/*
 * windows.c - places with a syscall where the number is not written in front, each often. Those of the first kind may be patched, the others may not, as something goes into the
 * bytes behind the syscall, or as these can't stand elsewhere. Prints for each how often it did what it should, and whether its code has changed.
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OFTEN 200

/* long NAME(long number, long way): way 1 goes by the branch, where there is one, which makes no call. */
#define PLACE(name, before, behind, after)                                                                                                               \
	__asm__(".text\n.p2align 4\n" #name ":\n.cfi_startproc\n\tmovq %rdi, %rax\n" before "\n.globl " #name "_call\n" #name "_call:\n\tsyscall\n" behind         \
		"\n.cfi_endproc\n" after);                                                                                                                          \
	long name(long number, long way);                                                                                                                          \
	extern unsigned char name##_call[];

PLACE(plain, "", "cmpq $-4096, %rax\nret", "")
PLACE(small, "", "movl %eax, %edx\nmovl %edx, %eax\nret", "")
PLACE(memory, "", "movq %rax, -16(%rsp)\nmovq -16(%rsp), %rax\nret", "")
PLACE(condition, "", "testl %eax, %eax\njs 1f\nret\n1: negq %rax\nret", "")
PLACE(jump, "", "jmp 1f\nnopw 0(%rax,%rax)\n1: ret", "")
PLACE(returns, "", "ret", ".p2align 4\n")
/* Behind another one that is patched first, and whose last bytes are no instruction then. */
PLACE(second, "movq %rdi, %r9\nsyscall\nmovl $0x06060606, -16(%rsp)\nmovq %r9, %rax", "cmpq $-4096, %rax\nret", "")
/* These leave less than five bytes. */
PLACE(loops, "jmp 1f\n2: ret\n1:", "jmp 2b", "after_loops:\n.cfi_startproc\nmovq %rbx, %rax\nret\n.cfi_endproc\njmp after_loops\n")
PLACE(goes_to_next, "", "jmp 1f", "after_it:\n.cfi_startproc\n1: ret\nnop\nret\n.cfi_endproc\n")
PLACE(returns_at_once, "", "ret", "after_return:\n.cfi_startproc\nxorl %eax, %eax\nret\n.cfi_endproc\njmp after_return\n")

PLACE(entered, "cmpl $1, %esi\nje 1f", "1: movl %eax, %edx\ncmpl $0, %edx\nmovl %edx, %eax\nret", "")
PLACE(entered_later, "cmpl $1, %esi\nje 1f", "movl %eax, %edx\n1: movl %eax, %edx\nmovl %edx, %eax\nret", "")
PLACE(entered_from_afar, "cmpl $1, %esi\nje far_part", "far_back: movl %eax, %edx\ncmpl $0, %edx\nmovl %edx, %eax\nret",
      ".section .text.unlikely\nfar_part:\n.cfi_startproc\nnop\njmp far_back\n.cfi_endproc\n.text\n")
PLACE(entered_from_beside, "cmpl $1, %esi\nje beside", "beside_back: movl %eax, %edx\ncmpl $0, %edx\nmovl %edx, %eax\nret",
      "beside:\n.cfi_startproc\njmp beside_back\n.cfi_endproc\n")
PLACE(table, "cmpl $1, %esi\njne 2f\nleaq 1f(%rip), %rcx\njmp *%rcx\n2:", "1: movl %eax, %edx\ncmpl $0, %edx\nmovl %edx, %eax\nret", "")
PLACE(relative, "", "movq number_of_windows(%rip), %rdx\nret\n.pushsection .data\nnumber_of_windows: .quad 1\n.popsection", "")
PLACE(called, "", "call 1f\nret\n1: ret", "")
PLACE(falls, "", "", "falls_into:\n.cfi_startproc\nmovl %eax, %edx\nmovl %edx, %eax\nret\n.cfi_endproc\n")
__asm__(".text\n.p2align 4\nnameless:\n\tmovq %rdi, %rax\nnameless_call:\n\tsyscall\n\tcmpq $-4096, %rax\n\tret\n");
long nameless(long number, long way);
extern unsigned char nameless_call[];

#define ALL(of) of(plain) of(small) of(memory) of(condition) of(jump) of(returns) of(second) of(loops) of(goes_to_next) of(returns_at_once) of(entered) of(entered_later) of(entered_from_afar) of(entered_from_beside) of(table) of(relative) of(called) \
	of(falls) of(nameless)
#define ENTRY(name) {#name, name, name##_call},

static const struct {
	const char *name;
	long (*function)(long number, long way);
	const unsigned char *call;
} places[] = {ALL(ENTRY)};

int main(void)
{
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		int right = 0, entered = strncmp(places[i].name, "entered", 7) == 0 || strcmp(places[i].name, "table") == 0;

		for (int n = 0; n < OFTEN; n++)
			right += places[i].function(SYS_getpid, 0) == getpid() && (!entered || places[i].function(7, 1) == 7);
		printf("%s %d %s\n", places[i].name, right, memcmp(places[i].call, "\x0f\x05", 2) ? "patched" : "as it was");
	}
	return 0;
}
