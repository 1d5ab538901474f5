/*
 * globaldata.c - the per-CPU area's beginning and end (DragonFly: mi_gdinit, and libcaps' globaldata.c).
 * Invariant: %gs points to the area exactly from a successful lwkt_cpu_init to lwkt_cpu_fini.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_once_t probe_once = PTHREAD_ONCE_INIT;

globaldata_t lwkt_mycpu(void)
{
	pthread_once(&probe_once, lwkt_arch_probe);
	return (globaldata_t)lwkt_arch_get_gs();
}

lwkt_thread_t lwkt_curthread(void)
{
	globaldata_t gd = lwkt_mycpu();

	return gd ? gd->gd_curthread : NULL;
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

	if (lwkt_mycpu())
		return EEXIST;
	gd = calloc(1, sizeof(*gd));
	if (!gd)
		return ENOMEM;
	gd->gd_self = gd;
	gd->gd_tid = (uint32_t)syscall(SYS_gettid);
	init_lists(gd);
	td0 = &gd->gd_thread0;
	lwkt_thread_init(gd, td0);
	td0->td_flags = TDF_RUNNING | TDF_THREAD0;
	td0->td_critcount = 0;
	td0->td_ctx.fs = lwkt_arch_get_fs();
	strcpy(td0->td_comm, "thread0");
	lwkt_thread_init(gd, &gd->gd_reaper);
	gd->gd_reaper.td_id = 0;
	gd->gd_next_id = 1;
	strcpy(gd->gd_reaper.td_comm, "reaper");
	gd->gd_curthread = td0;
	error = lwkt_overrun_init(gd);
	if (!error) {
		error = lwkt_arch_set_gs((uintptr_t)gd);
		if (error)
			lwkt_overrun_fini(gd);
	}
	if (error)
		free(gd);
	return error;
}

int lwkt_cpu_fini(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (gd->gd_curthread != &gd->gd_thread0)
		return EPERM;
	if (gd->gd_stats.st_alive)
		return EBUSY;
	lwkt_pool_trim(0, ~0u);
	while (!list_empty(&gd->gd_freetd)) {
		struct lwkt_list *n = gd->gd_freetd.next;

		list_remove(n);
		free(LIST_ENTRY(n, struct lwkt_thread, td_threadq));
	}
	lwkt_overrun_fini(gd);
	lwkt_arch_set_gs(0);
	free(gd);
	return 0;
}
