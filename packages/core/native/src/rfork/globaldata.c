/*
 * globaldata.c - the per-CPU area's beginning and end (DragonFly: mi_gdinit, and libcaps' globaldata.c).
 * Invariant: %gs, or what stands for it (cpu.h), points to the area exactly from a successful lwkt_cpu_init to lwkt_cpu_fini.
 */
#include "debug.h"
#include "lwkt_offsets.h"

_Static_assert(offsetof(struct globaldata, gd_self) == LWKT_GD_SELF && offsetof(struct globaldata, gd_curthread) == LWKT_GD_CURTHREAD &&
	       offsetof(struct lwkt_thread, td_ctx.sp) == LWKT_TD_CTX && offsetof(struct lwkt_thread, td_gd) == LWKT_TD_GD &&
	       offsetof(struct lwkt_thread, td_flags) == LWKT_TD_FLAGS && offsetof(struct lwkt_thread, td_data) == LWKT_TD_DATA &&
	       offsetof(struct lwkt_thread, td_sysmsg) == LWKT_TD_SYSMSG, "lwkt_offsets.h is right");

/* Areas of rforks that are gone. They are used again and never freed: a kernel thread that one of them made has inherited its %gs,
 * and looks there (at gd_shared.tid only) to find out that it is none. */
static globaldata_t spare_areas; /* linked by gd_self */
static uint32_t spare_lock;

static globaldata_t take_area(void)
{
	globaldata_t gd;

	lwkt_word_lock(&spare_lock);
	gd = spare_areas;
	if (gd)
		spare_areas = gd->gd_self;
	lwkt_word_unlock(&spare_lock);
	if (!gd)
		return lwkt_os_alloc(sizeof(*gd));
	memset(gd, 0, offsetof(struct globaldata, gd_cpuid));
	return gd;
}

static void give_area(globaldata_t gd)
{
	atomic_store_explicit(&gd->gd_shared.tid, 0, memory_order_relaxed);
	lwkt_word_lock(&spare_lock);
	gd->gd_self = spare_areas;
	spare_areas = gd;
	lwkt_word_unlock(&spare_lock);
}

/** An eventfd is one for both sides of a fork: who rings it here would wake the parent. */
static void forget_doorbell(globaldata_t gd)
{
	int fd = atomic_exchange(&gd->gd_shared.doorbell, 0) - 1;

	if (fd >= 0)
		lwkt_os_bell_end(fd);
}

/** After a fork: gd is this kernel thread's still, which has another number. */
void lwkt_area_forked(globaldata_t gd)
{
	spare_lock = 0;
	for (globaldata_t spare = spare_areas; spare; spare = spare->gd_self)
		forget_doorbell(spare);
	forget_doorbell(gd);
	atomic_store_explicit(&gd->gd_shared.tid, lwkt_os_tid(), memory_order_relaxed);
}

/** After a fork: gd is nobody's any more. */
void lwkt_area_forget(globaldata_t gd)
{
	forget_doorbell(gd);
	give_area(gd);
}

static _Atomic bool probed; /* before, there is no rfork */

/** Finds out, once, what the processor can do. */
static void probe(void)
{
	static uint32_t lock; /* never held when somebody forks who is an rfork: then it is known */

	if (atomic_load_explicit(&probed, memory_order_acquire))
		return;
	lwkt_word_lock(&lock);
	if (!atomic_load_explicit(&probed, memory_order_relaxed))
		lwkt_arch_probe();
	atomic_store_explicit(&probed, true, memory_order_release);
	lwkt_word_unlock(&lock);
}

/** Also in a signal's handler. */
int lwkt_is_rfork(void)
{
	globaldata_t gd;

	if (!atomic_load_explicit(&probed, memory_order_acquire))
		return 0;
	gd = (globaldata_t)lwkt_arch_get_cpu();
	/* On x86-64 a new kernel thread begins with its creator's %gs. */
	return gd && atomic_load_explicit(&gd->gd_shared.tid, memory_order_relaxed) == lwkt_os_tid();
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

uint64_t lwkt_fpcontrol(void)
{
	return lwkt_arch_get_fpcontrol();
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
		list_init(&gd->gd_pool[cls]);
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

	probe();
	if (lwkt_is_rfork())
		return MISUSE(EEXIST, "this kernel thread is an rfork already: ask first (lwkt_is_rfork)");
	gd = take_area();
	if (!gd)
		return ENOMEM;
	gd->gd_self = gd;
	atomic_store_explicit(&gd->gd_shared.tid, lwkt_os_tid(), memory_order_relaxed);
	init_lists(gd);
	td0 = &gd->gd_thread0;
	lwkt_thread_init(gd, td0);
	td0->td_flags = TDF_RUNNING | TDF_THREAD0;
	td0->td_critcount = 0;
	lwkt_set_name(td0->td_comm, "thread0");
	lwkt_thread_init(gd, &gd->gd_reaper);
	gd->gd_reaper.td_id = 0;
	gd->gd_next_id = 1;
	lwkt_set_name(gd->gd_reaper.td_comm, "reaper");
	gd->gd_curthread = td0;
	gd->gd_fpcontrol = lwkt_arch_get_fpcontrol();
	lwkt_state_init(&gd->gd_state);
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

size_t lwkt_vforked_size(void)
{
	return sizeof(struct globaldata);
}

/** What an rfork needs beside this (its lists, its number) is not there: nobody is to find it, nor to send it anything. */
void lwkt_vforked(void *area, void *data)
{
	globaldata_t gd = area;
	lwkt_thread_t td0 = &gd->gd_thread0;

	gd->gd_self = gd;
	atomic_store_explicit(&gd->gd_cpuid, cpuid_of(lwkt_arch_mycpu()), memory_order_relaxed);
	lwkt_thread_init(gd, td0);
	td0->td_flags = TDF_RUNNING | TDF_THREAD0;
	td0->td_data = data;
	gd->gd_curthread = td0;
	lwkt_arch_set_cpu((uintptr_t)gd);
}

int lwkt_cpu_fini(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (gd->gd_curthread != &gd->gd_thread0)
		return MISUSE(EPERM, "an rfork is ended on its thread0, not on a userthread");
	if (gd->gd_asking)
		return MISUSE(EBUSY, "another rfork has been asked for a thread (lwkt_share_ask), and the answer has not come: lwkt_dispatch takes it");
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
