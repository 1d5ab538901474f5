/*
 * again.c - which calls a replay does again, and how: what changes the program's memory, its lwps or what libcr knows of its signals, at the recorded addresses. Of all others the
 * answer alone is there, and what the kernel has written.
 */
#include "replay.h"

#include <linux/futex.h>
#include <sys/mman.h>

enum way replay_way(const struct trapframe *tf)
{
	switch (tf->tf_number) {
	case SYS_rt_sigaction:
	case SYS_rt_sigprocmask:
	case SYS_rt_sigreturn:
	case SYS_sigaltstack:
	case SYS_set_tid_address:
	case SYS_set_robust_list:
	case SYS_arch_prctl:
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_brk:
	case SYS_madvise: return DONE_AGAIN;
	case SYS_mmap:
	case SYS_mremap: return MAPS;
	case SYS_futex:
		return (tf->tf_rsi & FUTEX_CMD_MASK) == FUTEX_WAKE_OP ? DONE_AGAIN : ANSWERED;
	case SYS_rt_sigsuspend:
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2: return WAITS_MASKED;
	case SYS_clone:
	case SYS_clone3:
	case SYS_fork:
	case SYS_vfork: return MAKES;
	case SYS_execve:
	case SYS_execveat: return EXECUTES;
	case SYS_exit:
	case SYS_exit_group: return ENDS;
	}
	return ANSWERED;
}


bool replay_has_to_be_same(const struct trapframe *tf, long result, int64_t recorded)
{
	if (result == recorded || tf->tf_number == SYS_futex || is_restart(recorded))
		return true;
	/* of pages of a file that is none here; or of a hole, and what lies before it is changed */
	return is_error(recorded) && (tf->tf_number == SYS_madvise || tf->tf_number == SYS_mprotect || tf->tf_number == SYS_munmap);
}

bool replay_leaves(const struct trapframe *tf, int64_t recorded)
{
	if (tf->tf_number == SYS_brk)
		return tf->tf_rdi && (uint64_t)recorded != tf->tf_rdi;
	return (tf->tf_number == SYS_mprotect || tf->tf_number == SYS_munmap) && is_error(recorded) && recorded != -ENOMEM;
}

long replay_map(const struct lwp *lwp, const struct capture *c, const struct record *r)
{
	const uint64_t *a = (const uint64_t *)c->call.given.sm_args;
	const uint64_t at = (uint64_t)r->re_result;
	const bool file = c->call.given.sm_number == SYS_mmap && !(a[3] & MAP_ANONYMOUS);
	long done;

	if (is_error(r->re_result))
		return r->re_result;
	if (c->call.given.sm_number == SYS_mremap) {
		const uint64_t flags = (a[3] & (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) | (at == a[0] ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED);

		done = kernel_call(SYS_mremap, a[0], a[1], a[2], at == a[0] ? flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED) : flags, at);
	} else {
		const uint64_t fixed = a[3] & MAP_FIXED ? MAP_FIXED : MAP_FIXED_NOREPLACE;
		const uint64_t kept = file ? MAP_NORESERVE : a[3] & ~(uint64_t)(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_SHARED | MAP_PRIVATE | MAP_SHARED_VALIDATE | MAP_HUGETLB);

		done = kernel_call(SYS_mmap, at, a[1], a[2], kept | fixed | (file || (a[3] & MAP_PRIVATE) ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
	}
	if (done != r->re_result)
		replay_diverge(lwp, c, NULL, "the memory can't lie where it was");
	for (const struct piece *p = record_piece(r, NULL); p; p = record_piece(r, p))
		if ((p->pc_what & PIECE_CONTENT) && image_put(p, (int)a[2]))
			replay_fail("a file's contents can't be mapped");
	return r->re_result;
}

bool replay_begin_mask(struct lwp *lwp, const struct trapframe *tf)
{
	uint64_t set = tf->tf_r8, size = tf->tf_r9, place[2], mask;

	if (tf->tf_number == SYS_rt_sigsuspend) {
		set = tf->tf_rdi;
		size = tf->tf_rsi;
	} else if (tf->tf_number == SYS_ppoll) {
		set = tf->tf_r10;
		size = tf->tf_r8;
	} else if (tf->tf_number == SYS_pselect6) {
		if (!tf->tf_r9 || copyin(place, tf->tf_r9, sizeof(place)))
			return false;
		set = place[0];
		size = place[1];
	}
	if (!set || size != 8 || copyin(&mask, set, 8))
		return false;
	program_mask_for_now(lwp, mask);
	return true;
}

void replay_write_back(const struct record *r)
{
	for (const struct piece *p = record_piece(r, NULL); p; p = record_piece(r, p)) {
		const void *bytes;

		if (p->pc_what & PIECE_KEPT)
			kept_take(p);
		if (!(p->pc_what & PIECE_OUT))
			continue;
		bytes = piece_bytes(p);
		/* more may have been noted than was written: what can't be written is as it was then */
		if (!bytes || (copyout(p->pc_address, bytes, p->pc_length) && user_same((const void *)p->pc_address, bytes, p->pc_length) != (long)p->pc_length))
			replay_fail("what the kernel has written does not fit the program's memory");
	}
}
