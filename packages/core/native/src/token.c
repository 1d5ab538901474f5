/*
 * token.c - tokens: exclusive among those that run, let go of by those that don't (DragonFly: lwkt_token.c, the generation of 2004).
 *
 * A token belongs to an rfork, and on one rfork only one thread runs: so among its own threads there is nothing to lock. Another rfork asks
 * for it by IPI message. IPI messages run on thread0, when no holder runs; it is given away then and there, unless it was got for
 * a thread that has not run since (t_pin), or the rfork is waiting in the middle of a holder (ipiq.c). Then the request is queued, in the
 * token, and served when the pin goes, or its holder leaves the CPU or lets go of it. The queue goes along with the token.
 *
 * A thread that has to get several pins them in the order of their addresses, so that two such threads never wait for each other.
 *
 * Invariant: all of a token but t_cpu is touched by the rfork that t_cpu names; only that one changes t_cpu, after its last touch.
 */
#define _GNU_SOURCE
#include "debug.h"

/** Somebody waits for a token: on the stack of the thread that waits. */
struct request {
	struct lwkt_list link;
	lwkt_token_t tok;
	lwkt_thread_t td;
	globaldata_t gd; /* td's, which stays where it is while it waits */
	bool granted;    /* gd's */
};

static globaldata_t cpu_of(lwkt_token_t tok)
{
	return __atomic_load_n(&tok->t_cpu, __ATOMIC_ACQUIRE);
}

static bool holds(lwkt_thread_t td, lwkt_token_t tok)
{
	for (const struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
		if (ref->tr_tok == tok)
			return true;
	return false;
}

/** Whether this rfork is waiting in the middle of a holder. One that is getting its tokens has pinned what it has, and uses none yet. */
static bool in_use(globaldata_t gd, lwkt_token_t tok)
{
	return !(gd->gd_curthread->td_flags & TDF_TOKWAIT) && holds(gd->gd_curthread, tok);
}

/** Whether td, which runs on gd, may go on with the token. */
static bool may_use(globaldata_t gd, lwkt_thread_t td, lwkt_token_t tok)
{
	return cpu_of(tok) == gd && (!tok->t_pin || tok->t_pin == td);
}

static void push(lwkt_thread_t td, struct lwkt_tokref *ref, lwkt_token_t tok)
{
	ref->tr_tok = tok;
	ref->tr_next = td->td_toks;
	td->td_toks = ref;
}

/** On the asking rfork, which has the token now, pinned. */
static void granted(void *arg)
{
	struct request *request = arg;

	request->granted = true;
	lwkt_wake(request->td);
}

/** Gives a token that is not in use to the first who waits for it. */
static void serve(globaldata_t gd, lwkt_token_t tok)
{
	struct request *request;

	if (tok->t_pin || list_empty(&tok->t_requests))
		return;
	request = LIST_ENTRY(tok->t_requests.next, struct request, link);
	list_remove(&request->link);
	tok->t_pin = request->td;
	if (request->gd == gd) {
		granted(request);
		return;
	}
	__atomic_store_n(&tok->t_cpu, request->gd, __ATOMIC_RELEASE);
	lwkt_send_ipiq(request->gd, granted, request, NULL); /* it is there: one of its threads waits for this */
}

/** On the rfork that had the token when this was sent. */
static void ask(void *arg)
{
	struct request *request = arg;
	lwkt_token_t tok = request->tok;
	globaldata_t gd = lwkt_arch_mycpu(), owner = cpu_of(tok);

	if (owner != gd) { /* perhaps to where the request comes from, by another thread's */
		lwkt_send_ipiq(owner, ask, request, NULL);
		return;
	}
	list_append(&tok->t_requests, &request->link);
	if (!in_use(gd, tok))
		serve(gd, tok);
}

/** Gets one token for td, which runs, and pins it. Returns 0, or ESRCH where its rfork is gone. */
static int obtain(lwkt_thread_t td, lwkt_token_t tok)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct request request = {.tok = tok, .td = td, .gd = gd};
	int error = 0;

	if (may_use(gd, td, tok)) {
		tok->t_pin = td;
		return 0;
	}
	list_init(&request.link);
	if (cpu_of(tok) == gd)
		list_append(&tok->t_requests, &request.link);
	else
		error = lwkt_send_ipiq(cpu_of(tok), ask, &request, NULL);
	while (!error && !request.granted)
		lwkt_wait_once(tok->t_name);
	return error;
}

/** Gets all that td holds, and lets them be given away again: td runs, and goes on running. */
static int obtain_all(lwkt_thread_t td)
{
	lwkt_token_t done = NULL, next;
	int error = 0;

	td->td_flags |= TDF_TOKWAIT;
	do {
		next = NULL;
		for (const struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
			if (ref->tr_tok > done && (!next || ref->tr_tok < next))
				next = ref->tr_tok;
		if (next)
			error = obtain(td, next);
		done = next;
	} while (next && !error);
	for (const struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
		if (cpu_of(ref->tr_tok) == lwkt_arch_mycpu() && ref->tr_tok->t_pin == td)
			ref->tr_tok->t_pin = NULL;
	td->td_flags &= ~TDF_TOKWAIT;
	return error;
}

/** td leaves the CPU: whoever waits for a token of its may have it. */
void lwkt_tokens_leave(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_tokref *toks = td->td_toks;

	td->td_toks = NULL; /* of all at once: serving one may run IPI functions that ask for another */
	for (const struct lwkt_tokref *ref = toks; ref; ref = ref->tr_next)
		if (cpu_of(ref->tr_tok) == gd)
			serve(gd, ref->tr_tok);
	td->td_toks = toks;
}

static bool has_all(globaldata_t gd, lwkt_thread_t td)
{
	for (const struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
		if (!may_use(gd, td, ref->tr_tok))
			return false;
	return true;
}

/** td is back on a CPU, and goes on when it has its tokens. */
void lwkt_tokens_arrive(lwkt_thread_t td)
{
	if (!has_all(lwkt_arch_mycpu(), td))
		obtain_all(td); /* its error: that rfork has ended with the token, and nobody else can have it */
}

/** td has ended. */
void lwkt_tokens_drop(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_tokref *ref = td->td_toks;

	td->td_toks = NULL;
	for (; ref; ref = ref->tr_next)
		if (cpu_of(ref->tr_tok) == gd)
			serve(gd, ref->tr_tok);
}

void lwkt_token_init(lwkt_token_t tok, const char *name)
{
	tok->t_pin = NULL;
	list_init(&tok->t_requests);
	tok->t_name = name;
	__atomic_store_n(&tok->t_cpu, lwkt_arch_mycpu(), __ATOMIC_RELEASE);
}

/** Takes the token where that needs no waiting. Returns 0, EBUSY, or what a taker is refused with. */
static int take(struct lwkt_tokref *ref, lwkt_token_t tok)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = gd->gd_curthread;

	if (__builtin_expect(gd->gd_ipi_depth != 0, 0))
		return EDEADLK;
	if (__builtin_expect((td->td_flags & TDF_THREAD0) != 0, 0))
		return EPERM;
	if (cpu_of(tok) != gd || tok->t_pin)
		return EBUSY;
	push(td, ref, tok);
	return 0;
}

/** The answer of a function that takes a token. */
static int refused(int error, lwkt_token_t tok, const char *function)
{
	(void)tok;
	(void)function;
	return MISUSE_OF(function, error && error != EBUSY, error, "token \"%s\": %s", tok->t_name,
	                 error == EPERM ? "thread0 takes none, do it on a userthread (lwkt_create)" : lwkt_debug_no_wait());
}

int lwkt_gettoken(struct lwkt_tokref *ref, lwkt_token_t tok)
{
	lwkt_thread_t td;
	int error = take(ref, tok);

	if (error != EBUSY)
		return refused(error, tok, __func__);
	if (!lwkt_may_wait(lwkt_arch_mycpu()))
		return refused(EDEADLK, tok, __func__);
	td = lwkt_arch_mycpu()->gd_curthread;
	lwkt_tokens_leave(lwkt_arch_mycpu(), td); /* as with everything that blocks */
	push(td, ref, tok);
	error = obtain_all(td);
	if (error)
		td->td_toks = ref->tr_next;
	return error;
}

int lwkt_trytoken(struct lwkt_tokref *ref, lwkt_token_t tok)
{
	int error = take(ref, tok);

	return refused(error, tok, __func__);
}

int lwkt_reltoken(struct lwkt_tokref *ref)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = gd->gd_curthread;
	lwkt_token_t tok = ref->tr_tok;

	if (td->td_toks != ref)
		return MISUSE(EPERM, "the thread took token \"%s\" last: let go of them in reverse order, each once",
		              td->td_toks ? td->td_toks->tr_tok->t_name : "none");
	td->td_toks = ref->tr_next;
	if (!list_empty(&tok->t_requests) && !holds(td, tok))
		serve(gd, tok);
	return 0;
}
