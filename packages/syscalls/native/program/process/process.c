/*
 * process.c - the program as a process: who runs, how it began and how it ends.
 */
#include "program.h"

#include "lwkt.h"

struct proc program_proc;

struct lwp *curlwp(void)
{
	return lwkt_curthread()->td_data;
}

void set_curlwp(struct lwp *lwp)
{
	lwkt_curthread()->td_data = lwp;
}

struct proc *curproc(void)
{
	struct lwp *lwp = curlwp();

	return lwp ? lwp->lwp_proc : &program_proc;
}

void process_begin(struct lwp *first)
{
	struct proc *proc = &program_proc;

	proc->p_pid = first->lwp_tid = (int)kernel_call(SYS_getpid);
	proc_has_only(proc, first);
	first->lwp_proc = proc;
}

void program_exit(int status)
{
	const bool is_vforked = curproc()->p_vforked_by;

	if (!is_vforked)
		shims_end(status);
	record_end(status);
	if (!is_vforked) {
		metrics_print();
		stats_print();
	}
	for (;;)
		kernel_call(SYS_exit_group, status);
}

static long process_exit(struct lwp *lwp, struct trapframe *tf)
{
	(void)lwp;
	program_exit((int)tf->tf_rdi);
}

/** C libraries ask for it whenever they send a thread a signal. */
static long process_getpid(struct lwp *lwp, struct trapframe *tf)
{
	(void)tf;
	return lwp->lwp_proc->p_pid;
}

const struct call_entry process_calls[] = {
	{SYS_getpid, process_getpid},
	{SYS_exit_group, process_exit},
	{0},
};
