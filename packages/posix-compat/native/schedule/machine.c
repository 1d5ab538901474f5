/*
 * machine.c - what calls answer about the machine as it is just now, which is the same in each run here: C libraries and runtimes ask for it as they start.
 */
#include "schedule.h"

#include <linux/sysinfo.h>

#define UPTIME 1000 /* s */
#define PROCESSORS 4

/** Half of the memory is free, and nobody else is there. */
static long give_info(uint64_t to)
{
	struct sysinfo info;
	const long error = kernel_call(SYS_sysinfo, &info);

	if (error)
		return error;
	info.uptime = options.virtual_time ? (long)(clock_now() / 1000000000u) : UPTIME;
	memset(info.loads, 0, sizeof(info.loads));
	info.freeram = info.totalram / 2;
	info.freeswap = info.totalswap;
	info.sharedram = info.bufferram = 0;
	info.procs = 1;
	return copyout(to, &info, sizeof(info));
}

/** As many as a schedule can mean: with one, runtimes (Go's) run nothing beside anything else, and with the machine's own number a seed would mean another run elsewhere. */
long machine_processors(uint64_t to)
{
	const uint64_t set = (1ull << PROCESSORS) - 1;

	return copyout(to, &set, sizeof(set)) ? -EFAULT : (long)sizeof(set);
}

long machine_call(struct lwp *lwp, struct trapframe *tf)
{
	(void)lwp;
	return tf->tf_number == SYS_sysinfo ? give_info(tf->tf_rdi) : NOT_HANDLED;
}
