/*
 * rows.c - what becomes of a call by what shims have said in advance (rows.h): it goes through a list of rows, as through shims that are C, and what is below them makes it.
 *
 * Not here: what a call's paths are, and whether they fit (places.c).
 *
 * Invariants:
 *  - What the supervisor has written there is not trusted to lead anywhere: a wrong offset makes a wrong answer, and no access outside of the part.
 *  - A child of fork comes back of a call that its parent measures, and leaves that alone.
 */
#include "places.h"

#include <sched.h>
#include <sys/mman.h>

#include "os/os.h" /* core's */

#define PIECE_MAX 65536 /* what an offset points to is shorter */
#define EVER (1ull << 32)
#define BOUNDS_MAX 100

/** A row that has something to do when the call is over. */
struct leaving {
	const struct row *row;
	struct row_flight *flight;
	uint64_t began;
};

/** A call on its way. */
struct passage {
	struct lwp *lwp;
	struct sysmsg call; /* as it is to be made */
	uint64_t fitting;   /* rows of the list whose paths fit, a bit for each */
	uint16_t done;      /* a shim that has nothing more to say */
	unsigned n;
	struct leaving leaving[ROWS_LEAVING];
	uint32_t forks;     /* before the call */
};

/** What makes it at last. */
struct bottom {
	long (*make)(struct sysmsg *msg, const struct chain *chain);
	const struct chain *chain;
	bool asks; /* the supervisor comes before that */
};

static struct rows *rows;

const void *rows_at(uint32_t offset)
{
	return (char *)rows + (offset < CHANNEL_ROWS_SIZE - PIECE_MAX ? offset & ~7u : 0);
}

void rows_open(int memory)
{
	const long at = kernel_call(SYS_mmap, lwkt_os_map_place(CHANNEL_ROWS_SIZE), CHANNEL_ROWS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, CHANNEL_ROWS_AT);

	if (at < 0 && at > -4096)
		program_fail(125, "--script", "its memory can't be mapped");
	kernel_call(SYS_madvise, at, CHANNEL_ROWS_SIZE, MADV_DONTDUMP);
	rows = (struct rows *)at;
}

const struct row_about *rows_about(int64_t number)
{
	return &rows->rh_about[number];
}

const char *rows_trace(void) { return rows->rh_trace ? rows_at(rows->rh_trace) : NULL; }
bool rows_trace_is_all(void) { return rows->rh_trace_all; }
void rows_refuse_trace(void) { rows->rh_trace_refused = 1; }

/* ------------------------------------------------ whether a row is about a call */

static bool is_one_of(uint32_t uids)
{
	const uint32_t *list = rows_at(uids), own = (uint32_t)kernel_call(SYS_geteuid);

	for (uint32_t i = 0; i < *list && i < PIECE_MAX / 4 - 1; i++)
		if (list[1 + i] == own)
			return true;
	return false;
}

static bool fits(const struct passage *p, const struct row *row, unsigned i)
{
	const int fd = rows_about(p->call.sm_number)->ra_fd;

	if (row->ro_fd >= 0 && (fd < 0 || fd > 5 || (int32_t)p->call.sm_args[fd] != row->ro_fd))
		return false;
	if (row->ro_globs && !(p->fitting >> i & 1))
		return false;
	return !row->ro_uids || is_one_of(row->ro_uids);
}

/* ------------------------------------------------ delays, and chances */

/** Whoever waits is this lwp alone. 0, or -ERESTARTSYS: a signal has come, unless he is deaf. */
static long delay(struct lwp *lwp, uint64_t ns, bool deaf)
{
	const volatile uint32_t word = 0;
	uint64_t now = lwkt_os_clock();
	const uint64_t until = now + ns;

	for (; now < until; now = lwkt_os_clock()) {
		const struct timespec timeout = {(time_t)((until - now) / 1000000000u), (long)((until - now) % 1000000000u)};

		program_wait_word(lwp, &word, 0, &timeout, "supervisor", deaf);
		if (!deaf && (lwp->lwp_ast & AST_SIGNAL))
			return -ERESTARTSYS;
	}
	return 0;
}

/** The next number of a generator (mulberry32): as random.ts draws it. */
static uint32_t draw(struct row_counts *counts)
{
	uint32_t state = __atomic_add_fetch(&counts->rc_random, 0x6d2b79f5u, __ATOMIC_RELAXED);
	uint32_t t = (state ^ state >> 15) * (state | 1);

	t ^= t + (t ^ t >> 7) * (t | 61);
	return t ^ t >> 14;
}

/* ------------------------------------------------ kinds of rows: whether the call goes on, or *result is its answer */

static bool strikes(const struct row_fault *fault, struct row_counts *counts)
{
	const uint64_t n = __atomic_add_fetch(&counts->rc_matched, 1, __ATOMIC_RELAXED);
	uint64_t injected = counts->rc_injected;

	if (fault->fa_nth && n != fault->fa_nth)
		return false;
	if (n <= fault->fa_after || (n - fault->fa_after - 1) % (fault->fa_every ?: 1) || injected >= fault->fa_times)
		return false;
	if (fault->fa_chance < EVER && draw(counts) >= fault->fa_chance)
		return false;
	while (injected < fault->fa_times)
		if (__atomic_compare_exchange_n(&counts->rc_injected, &injected, injected + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

static struct leaving *leaves(struct passage *p, const struct row *row)
{
	struct leaving *leaving = &p->leaving[p->n < ROWS_LEAVING ? p->n++ : ROWS_LEAVING - 1];

	*leaving = (struct leaving){.row = row};
	return leaving;
}

static bool enter_fault(struct passage *p, const struct row_fault *fault, long *result)
{
	const int size = rows_about(p->call.sm_number)->ra_size;

	if (!strikes(fault, (struct row_counts *)rows_at(fault->fa_counts)))
		return true;
	if (fault->fa_delay && (*result = delay(p->lwp, fault->fa_delay, script_is_end(p->call.sm_number))))
		return false;
	if (fault->fa_errno && p->call.sm_number == SYS_close) { /* as the kernel does: the descriptor is gone, whatever close says */
		leaves(p, &fault->fa_row);
		p->done = fault->fa_row.ro_shim;
		return true;
	}
	if (fault->fa_errno) {
		*result = -(long)fault->fa_errno;
		return false;
	}
	if (fault->fa_short && size >= 0 && size < 6 && p->call.sm_args[size] > fault->fa_short && (int64_t)p->call.sm_args[size] > 1)
		p->call.sm_args[size] = fault->fa_short;
	return true;
}

static bool enter_latency(struct passage *p, const struct row_latency *latency, long *result)
{
	uint64_t ns = latency->la_least;

	p->done = latency->la_row.ro_shim; /* the first that fits decides */
	if (latency->la_more)
		ns += (uint64_t)((unsigned __int128)latency->la_more * draw((struct row_counts *)rows_at(latency->la_counts)) >> 32);
	if (latency->la_row.ro_flags & ROW_AFTER)
		leaves(p, &latency->la_row)->began = ns;
	else if ((*result = delay(p->lwp, ns, script_is_end(p->call.sm_number))))
		return false;
	return true;
}

static bool enter_policy(struct passage *p, const struct row_policy *policy, long *result)
{
	struct row_counts *counts = (struct row_counts *)rows_at(policy->po_counts);

	if (policy->po_row.ro_flags & ROW_ALLOWS) {
		p->done = policy->po_row.ro_shim;
		return true;
	}
	__atomic_fetch_add(&counts->rc_injected, 1, __ATOMIC_RELAXED);
	*result = -(long)policy->po_errno;
	return false;
}

/* ------------------------------------------------ measurements */

/** By the processor's cycles, where the supervisor has found how long one takes. */
uint64_t rows_clock(void)
{
	const uint64_t cycle = rows->rh_cycle;

	return cycle ? (uint64_t)((unsigned __int128)(__builtin_ia32_rdtsc() - rows->rh_since) * cycle >> 32) : lwkt_os_clock();
}

static void took(const struct row_metrics *metrics, uint64_t ns)
{
	struct row_figures *figures = (struct row_figures *)rows_at(metrics->me_figures);
	const uint64_t *bounds = rows_at(metrics->me_bounds);
	const uint32_t n = metrics->me_nbounds < BOUNDS_MAX ? metrics->me_nbounds : BOUNDS_MAX;
	uint32_t i = 0;

	while (i < n && ns > bounds[i])
		i++;
	__atomic_fetch_add(&figures->rf_took[i], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&figures->rf_ns, ns, __ATOMIC_RELAXED);
}

static long error_cell(long error)
{
	if (error >= ROWS_RESTART && error < ROWS_RESTART + ROWS_ERRORS - ROWS_RESTARTS)
		return ROWS_RESTARTS + error - ROWS_RESTART;
	return error < ROWS_RESTARTS ? error : 0;
}

static void ended(const struct row_metrics *metrics, long result, uint64_t ns)
{
	struct row_figures *figures = (struct row_figures *)rows_at(metrics->me_figures);

	took(metrics, ns);
	if (result < 0 && result >= -4095) {
		__atomic_fetch_add(&figures->rf_errors[error_cell(-result)], 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_fetch_add(&figures->rf_ok, 1, __ATOMIC_RELAXED);
	if (metrics->me_moves)
		__atomic_fetch_add(&figures->rf_bytes, (uint64_t)result, __ATOMIC_RELAXED);
}

/** NULL: there are very many under way, and this one is not told of. */
static struct row_flight *take_flight(const struct passage *p)
{
	const uint32_t first = (uint32_t)p->lwp->lwp_tid * 7, own = p->lwp->lwp_proc->p_script;

	for (uint32_t i = 0; i < ROWS_FLIGHTS; i++) {
		struct row_flight *flight = &rows->rh_flights[(first + i) % ROWS_FLIGHTS];
		uint32_t none = 0;

		if (!flight->fl_process && __atomic_compare_exchange_n(&flight->fl_process, &none, own, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return flight;
	}
	return NULL;
}

static void enter_metrics(struct passage *p, const struct row_metrics *metrics)
{
	struct leaving *leaving;

	if (script_is_end(p->call.sm_number)) {
		ended(metrics, 0, 0);
		return;
	}
	leaving = leaves(p, &metrics->me_row);
	leaving->flight = take_flight(p);
	leaving->began = rows_clock();
	if (!leaving->flight)
		return;
	leaving->flight->fl_began = leaving->began;
	__atomic_store_n(&leaving->flight->fl_row, (uint32_t)((const char *)metrics - (char *)rows), __ATOMIC_RELEASE);
}

static void leave_metrics(const struct leaving *leaving, long result)
{
	struct row_flight *flight = leaving->flight;

	if (flight) {
		__atomic_store_n(&flight->fl_row, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&flight->fl_process, 0, __ATOMIC_RELEASE);
	}
	ended((const struct row_metrics *)leaving->row, result, rows_clock() - leaving->began);
}

/* ------------------------------------------------ the way of a call */

static bool enter(struct passage *p, const struct row *row, long *result)
{
	switch (row->ro_kind) {
	case ROW_IS_FAULT: return enter_fault(p, (const struct row_fault *)row, result);
	case ROW_IS_LATENCY: return enter_latency(p, (const struct row_latency *)row, result);
	case ROW_IS_POLICY: return enter_policy(p, (const struct row_policy *)row, result);
	case ROW_IS_METRICS: enter_metrics(p, (const struct row_metrics *)row); return true;
	default: return true;
	}
}

static long leave(const struct passage *p, const struct leaving *leaving, long result)
{
	switch (leaving->row->ro_kind) {
	case ROW_IS_FAULT: return -(long)((const struct row_fault *)leaving->row)->fa_errno;
	case ROW_IS_LATENCY: delay(p->lwp, leaving->began, true); break;
	case ROW_IS_METRICS: leave_metrics(leaving, result); break;
	}
	return result;
}

static long reach_bottom(struct passage *p, struct sysmsg *msg, const struct bottom *bottom)
{
	const long result = bottom->asks ? script_ask(p->lwp, &p->call, bottom->make, bottom->chain, true) : bottom->make(&p->call, bottom->chain);

	msg->sm_pid = p->call.sm_pid;
	msg->sm_tid = p->call.sm_tid;
	return result;
}

static long go(struct passage *p, struct sysmsg *msg, const struct row_list *list, const struct bottom *bottom)
{
	bool goes_on = true;
	long result = 0;

	for (unsigned i = 0; i < list->rl_n && i < ROWS_LIST && goes_on; i++) {
		const struct row *row = rows_at(list->rl_rows[i]);

		if (row->ro_shim != p->done && fits(p, row, i))
			goes_on = enter(p, row, &result);
	}
	p->forks = script_forks;
	if (goes_on)
		result = reach_bottom(p, msg, bottom);
	if (script_forks != p->forks)
		return result;
	while (p->n)
		result = leave(p, &p->leaving[--p->n], result);
	return result;
}

/** Apart, as its frame is large. What has been looked at is what the call is made with. */
static __attribute__((noinline)) long go_with_paths(struct passage *p, struct sysmsg *msg, const struct row_list *list, const struct bottom *bottom)
{
	struct places places;

	if (!places_find(&places, &p->call, list, &p->fitting))
		return script_ask(p->lwp, msg, bottom->make, bottom->chain, false);
	return go(p, msg, list, bottom);
}

static long go_by(struct lwp *lwp, struct sysmsg *msg, uint32_t offset, const struct bottom *bottom)
{
	struct passage p = {.lwp = lwp, .call = *msg};
	const struct row_list *list = rows_at(offset);

	return list->rl_flags & ROWS_PATHS ? go_with_paths(&p, msg, list, bottom) : go(&p, msg, list, bottom);
}

long rows_call(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain)
{
	const uint32_t own = (uint32_t)__atomic_load_n(&rows->rh_calls[msg->sm_number], __ATOMIC_ACQUIRE);
	const struct bottom bottom = {make, chain, own & ROWS_ASK};

	if (own & ~7u)
		return go_by(lwp, msg, own, &bottom);
	return bottom.asks ? script_ask(lwp, msg, make, chain, true) : make(msg, chain);
}

long rows_below(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain)
{
	const bool is_known = msg->sm_number >= 0 && msg->sm_number < CALLS;
	const uint32_t below = is_known ? (uint32_t)(__atomic_load_n(&rows->rh_calls[msg->sm_number], __ATOMIC_ACQUIRE) >> 32) : 0;
	const struct bottom bottom = {make, chain, false};

	return below ? go_by(lwp, msg, below, &bottom) : make(msg, chain);
}
