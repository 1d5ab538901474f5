/*
 * globaldata.c - the per-CPU area's beginning and end (DragonFly: mi_gdinit, and libcaps' globaldata.c).
 * Invariant: %gs, or what stands for it (cpu.h), points to the area exactly from a successful lwkt_cpu_init to lwkt_cpu_fini.
 */
#define _GNU_SOURCE
#include "debug.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_once_t probe_once = PTHREAD_ONCE_INIT;

/* Areas of rforks that are gone. They are used again and never freed: a kernel thread that one of them made has inherited its %gs,
 * and looks there (at gd_shared.tid only) to find out that it is none. */
static globaldata_t spare_areas; /* linked by gd_self */
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;

static globaldata_t take_area(void)
{
	pthread_mutex_lock(&spare_lock);
	globaldata_t gd = spare_areas;
	if (gd)
		spare_areas = gd->gd_self;
	pthread_mutex_unlock(&spare_lock);
	if (!gd)
		return calloc(1, sizeof(*gd));
	memset(gd, 0, offsetof(struct globaldata, gd_cpuid));
	return gd;
}

static void give_area(globaldata_t gd)
{
	atomic_store_explicit(&gd->gd_shared.tid, 0, memory_order_relaxed);
	pthread_mutex_lock(&spare_lock);
	gd->gd_self = spare_areas;
	spare_areas = gd;
	pthread_mutex_unlock(&spare_lock);
}

int lwkt_is_rfork(void)
{
	pthread_once(&probe_once, lwkt_arch_probe);
	globaldata_t gd = (globaldata_t)lwkt_arch_get_cpu();

	/* On x86-64 a new kernel thread begins with its creator's %gs. */
	return gd && atomic_load_explicit(&gd->gd_shared.tid, memory_order_relaxed) == (uint32_t)syscall(SYS_gettid);
}

globaldata_t lwkt_mycpu(void)
{
	return lwkt_arch_mycpu();
}

lwkt_thread_t lwkt_curthread(void)
{
	return lwkt_arch_mycpu()->gd_curthread;
}

unsigned lwkt_cpuid(void)
{
	return cpuid_of(lwkt_arch_mycpu());
}

lwkt_thread_t lwkt_thread0(void)
{
	return &lwkt_arch_mycpu()->gd_thread0;
}

void lwkt_stats(struct lwkt_stats *out)
{
	*out = lwkt_arch_mycpu()->gd_stats;
}

static void init_lists(globaldata_t gd)
{
	for (unsigned pri = 0; pri <= TDPRI_MAX; pri++)
		list_init(&gd->gd_tdrunq[pri]);
	for (unsigned cls = 0; cls < STACK_CLASSES; cls++) {
		list_init(&gd->gd_pool[cls][0]);
		list_init(&gd->gd_pool[cls][1]);
		list_init(&gd->gd_chunks[cls]);
	}
	list_init(&gd->gd_tdallq);
	list_init(&gd->gd_freetd);
}

int lwkt_cpu_init(void)
{
	globaldata_t gd;
	lwkt_thread_t td0;
	int error;

	if (lwkt_is_rfork())
		return MISUSE(EEXIST, "this kernel thread is an rfork already: ask first (lwkt_is_rfork)");
	gd = take_area();
	if (!gd)
		return ENOMEM;
	gd->gd_self = gd;
	atomic_store_explicit(&gd->gd_shared.tid, (uint32_t)syscall(SYS_gettid), memory_order_relaxed);
	init_lists(gd);
	td0 = &gd->gd_thread0;
	lwkt_thread_init(gd, td0);
	td0->td_flags = TDF_RUNNING | TDF_THREAD0;
	td0->td_critcount = 0;
	td0->td_ctx.fs = lwkt_arch_get_tls();
	strcpy(td0->td_comm, "thread0");
	lwkt_thread_init(gd, &gd->gd_reaper);
	gd->gd_reaper.td_id = 0;
	gd->gd_next_id = 1;
	strcpy(gd->gd_reaper.td_comm, "reaper");
	gd->gd_curthread = td0;
	gd->gd_fpcontrol = lwkt_arch_get_fpcontrol();
	lwkt_sanitizer_init(&gd->gd_sanitizer);
	error = lwkt_overrun_init(gd);
	if (error)
		goto no_altstack;
	error = lwkt_arch_set_cpu((uintptr_t)gd);
	if (error)
		goto no_gs;
	error = lwkt_ipiq_online(gd);
	if (!error)
		return 0;
	lwkt_arch_set_cpu(0);
no_gs:
	lwkt_overrun_fini(gd);
no_altstack:
	give_area(gd);
	return error;
}

int lwkt_cpu_fini(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (gd->gd_curthread != &gd->gd_thread0)
		return MISUSE(EPERM, "an rfork is ended on its thread0, not on a userthread");
	if (gd->gd_stats.st_alive || gd->gd_stacks_away)
		return MISUSE(EBUSY, "%u userthreads are unfinished here, and %u stacks from here away: let them end first (lwkt_dispatch, lwkt_join)",
		              gd->gd_stats.st_alive, gd->gd_stacks_away);
	lwkt_trace_stop();
	lwkt_cputime_stop();
	lwkt_ipiq_offline(gd);
	lwkt_pool_trim(0, ~0u);
	lwkt_thread_free_all(gd);
	lwkt_overrun_fini(gd);
	lwkt_arch_set_cpu(0);
	give_area(gd);
	return 0;
}
