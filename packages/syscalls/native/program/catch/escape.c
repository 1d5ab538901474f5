/*
 * escape.c - a test's net: from now on the kernel kills the process for any system call whose instruction is outside of libcr's text (seccomp). What is caught
 * never gets that far, as dispatch comes first; so the one that is killed has come past libcr.
 *
 * The filter stays over fork and execve, and libcr's text is always at the same address: a program that is not under libcr, as it may not be or as libcr has been
 * left, dies of its first call. For good: the kernel wants no_new_privs for it, so nothing that runs under it gets rights by set-user-ID.
 */
#include "program.h"

#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

/** The instruction pointer is behind the instruction: above text's first address, up to its end. */
#define LOW offsetof(struct seccomp_data, instruction_pointer)
#define HIGH (LOW + 4)

void escapes_kill(void)
{
	const uint64_t begin = (uint64_t)program_text, end = (uint64_t)program_text_end;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, HIGH),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(begin >> 32), 0, 3), /* all of the text has it (program.ld) */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)begin, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)end, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	if (begin >> 32 != end >> 32 || kernel_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    kernel_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		program_fail(125, "--nothing-escapes", "the kernel takes no such filter");
}
