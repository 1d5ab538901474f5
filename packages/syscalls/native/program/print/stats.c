/*
 * stats.c - what --stats prints when a process ends by itself: how many calls were caught, by number.
 */
#include "program.h"

static uint64_t counts[CALLS];
static uint64_t unknown;
void (*stats_more)(struct lwp_counts *counts);

void stats_count(uint64_t number)
{
	if (number < CALLS)
		counts[number]++;
	else
		unknown++;
}

void stats_forget(void)
{
	memset(counts, 0, sizeof(counts));
	unknown = patch_trapped = 0;
}

void stats_print(void)
{
	struct lwp_counts counted;
	uint64_t all = unknown;
	long error;

	if (options.stats < 0)
		return;
	for (unsigned i = 0; i < CALLS; i++)
		all += counts[i];
	error = print(options.stats, "libcr: %s (%d): %lu system calls caught\n", program_exe, curproc()->p_pid, all);
	error = error ?: print(options.stats, "libcr: %lu of them by a signal, the others from %lu places that were patched\n", patch_trapped, patch_count);
	stats_more(&counted);
	error = error ?: print(options.stats, "libcr: %lu lwps, %lu switches, %lu preemptions\n", counted.lwps, counted.switches, counted.preemptions);
	while (!error) {
		unsigned most = 0;

		for (unsigned i = 1; i < CALLS; i++)
			if (counts[i] > counts[most])
				most = i;
		if (!counts[most])
			break;
		error = print(options.stats, "libcr: %8lu %s\n", counts[most], call_name(most) ? call_name(most) : "(a number without a name)");
		counts[most] = 0;
	}
	if (error)
		out_failed(options.stats, "--stats", error);
}
