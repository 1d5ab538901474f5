/*
 * token.c - tokens: exclusive among those that run, let go of by those that don't (DragonFly: lwkt_token.c, the generation of 2004; shared
 * ones are of 2010 and later).
 *
 * A token belongs to an rfork, and on one rfork only one thread runs: so among its own threads there is nothing to lock. Another rfork asks
 * for it by IPI message. IPI messages run on thread0, when no holder runs; it is given away then and there, unless it was got for
 * a thread that has not run since (t_pin), or the rfork is waiting in the middle of a holder (ipiq.c). Then the request is queued, in the
 * token, and served when the pin goes, or its holder leaves the CPU or lets go of it. The queue goes along with the token.
 *
 * A shared holder, on whatever rfork, has a share, which the token's rfork counts (t_shares); t_pin says PIN_SHARED while there are any. The token
 * stays where it is until they are all back, so a share knows where to go. A thread of that rfork takes and gives back a share by itself; one of
 * another asks as it would for the token, and sends the share back, without waiting. Shares are not kept for the next thread of the same rfork:
 * that would save two IPI messages for each taking, and cost an exclusive waiter a question to each rfork that ever took one.
 * Nobody overtakes in the queue, and nobody takes a share past it: so readers who keep coming can't keep a writer out (DragonFly has a bit for
 * that, TOK_EXCLREQ).
 *
 * A thread that has to get several pins them in the order of their addresses, so that two such threads never wait for each other. The first taking of
 * a token by a thread (the outermost) says how it holds it; those inside only nest.
 *
 * Invariants:
 *  - All of a token but t_cpu is touched by the rfork that t_cpu names; only that one changes t_cpu, after its last touch, and never while there are
 *    shares.
 *  - A share is held by a thread that runs, or waits for its other tokens (TDF_TOKWAIT). The outermost tokref has TOKREF_SHARE then.
 */
#include "debug.h"

/** Somebody waits for a token: on the stack of the thread that waits. */
struct request {
	struct lwkt_list link;
	lwkt_token_t tok;
	lwkt_thread_t td;
	globaldata_t gd; /* td's, which stays where it is while it waits */
	bool shared;
	bool granted;    /* gd's */
};

/** A token's t_pin while it has shares: no thread. */
#define PIN_SHARED ((lwkt_thread_t)(uintptr_t)1)

static globaldata_t cpu_of(lwkt_token_t tok)
{
	return __atomic_load_n(&tok->t_cpu, __ATOMIC_ACQUIRE);
}

/** The first taking of tok by td, which says how it holds it; NULL if it does not. */
static struct lwkt_tokref *outermost(lwkt_thread_t td, lwkt_token_t tok)
{
	struct lwkt_tokref *first = NULL;

	for (struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
		if (token_of(ref) == tok)
			first = ref;
	return first;
}

/** Whether this rfork is waiting in the middle of a holder that has it for itself. One that is getting its tokens has pinned what it has, and uses
 *  none yet. */
static bool in_use(globaldata_t gd, lwkt_token_t tok)
{
	const struct lwkt_tokref *ref = outermost(gd->gd_curthread, tok);

	return ref && !(ref->tr_tok & TOKREF_SHARED) && !(gd->gd_curthread->td_flags & TDF_TOKWAIT);
}

/** Whether td, which runs on gd, may go on with the token for itself. */
static bool may_use(globaldata_t gd, lwkt_thread_t td, lwkt_token_t tok)
{
	return cpu_of(tok) == gd && (!tok->t_pin || tok->t_pin == td);
}

/** Takes a share where nobody has the token for himself, nor waits for it. */
static bool take_share(globaldata_t gd, lwkt_token_t tok)
{
	if (cpu_of(tok) != gd || (tok->t_pin && tok->t_pin != PIN_SHARED) || !list_empty(&tok->t_requests))
		return false;
	tok->t_pin = PIN_SHARED;
	tok->t_shares++;
	return true;
}

static void push(lwkt_thread_t td, struct lwkt_tokref *ref, lwkt_token_t tok, uintptr_t bits)
{
	ref->tr_tok = (uintptr_t)tok | bits;
	ref->tr_next = td->td_toks;
	td->td_toks = ref;
}

/** On the asking rfork, which has the token now, pinned, or a share of it. */
static void granted(void *arg)
{
	struct request *request = arg;

	request->granted = true;
	lwkt_wake(request->td);
}

/** Gives the token to the first who waits for it, or shares to all who wait for one before somebody wants it for himself. Sending may run IPI
 *  functions, after which everything is different. */
static void serve(globaldata_t gd, lwkt_token_t tok)
{
	while (cpu_of(tok) == gd && !list_empty(&tok->t_requests) && !in_use(gd, tok)) {
		struct request *request = LIST_ENTRY(tok->t_requests.next, struct request, link);

		if (tok->t_pin && !(request->shared && tok->t_pin == PIN_SHARED))
			return;
		list_remove(&request->link);
		tok->t_pin = request->shared ? PIN_SHARED : request->td;
		tok->t_shares += request->shared;
		if (request->gd == gd) {
			granted(request);
			continue;
		}
		if (!request->shared)
			__atomic_store_n(&tok->t_cpu, request->gd, __ATOMIC_RELEASE);
		lwkt_send_ipiq(request->gd, granted, request, NULL); /* it is there: one of its threads waits for this */
	}
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
	serve(gd, tok);
}

/** On the token's rfork. */
static void share_returned(void *arg)
{
	lwkt_token_t tok = arg;

	if (--tok->t_shares)
		return;
	tok->t_pin = NULL;
	serve(lwkt_arch_mycpu(), tok);
}

static void return_share(globaldata_t gd, lwkt_token_t tok)
{
	if (cpu_of(tok) == gd)
		share_returned(tok);
	else
		lwkt_send_ipiq(cpu_of(tok), share_returned, tok, NULL); /* ESRCH: that rfork has ended with the token */
}

/** Gets one token for td, which runs, and pins it, or a share of it. Returns 0, or ESRCH where its rfork is gone. */
static int obtain(lwkt_thread_t td, lwkt_token_t tok)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_tokref *ref = outermost(td, tok);
	struct request request = {.tok = tok, .td = td, .gd = gd, .shared = ref->tr_tok & TOKREF_SHARED};
	int error = 0;

	if (request.shared && take_share(gd, tok)) {
		ref->tr_tok |= TOKREF_SHARE;
		return 0;
	}
	if (!request.shared && may_use(gd, td, tok)) {
		tok->t_pin = td;
		return 0;
	}
	list_init(&request.link);
	if (cpu_of(tok) == gd)
		list_append(&tok->t_requests, &request.link);
	else
		error = lwkt_send_ipiq(cpu_of(tok), ask, &request, NULL);
	lwkt_arch_mycpu()->gd_stats.st_token_waits++;
	while (!error && !request.granted)
		lwkt_wait_once(tok->t_name);
	if (!error && request.shared)
		ref->tr_tok |= TOKREF_SHARE;
	return error;
}

/** Gets all that td holds, none of which it has now, and lets those that are its own be given away again: td runs, and goes on running. */
static int obtain_all(lwkt_thread_t td)
{
	lwkt_token_t done = NULL, next;
	int error = 0;

	td->td_flags |= TDF_TOKWAIT;
	do {
		next = NULL;
		for (const struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
			if (token_of(ref) > done && (!next || token_of(ref) < next))
				next = token_of(ref);
		if (next)
			error = obtain(td, next);
		done = next;
	} while (next && !error);
	for (const struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
		if (cpu_of(token_of(ref)) == lwkt_arch_mycpu() && token_of(ref)->t_pin == td)
			token_of(ref)->t_pin = NULL;
	td->td_flags &= ~TDF_TOKWAIT;
	return error;
}

/** Lets go of what ref and the takings below it hold. */
static void let_go(globaldata_t gd, struct lwkt_tokref *ref)
{
	for (; ref; ref = ref->tr_next) {
		bool share = ref->tr_tok & TOKREF_SHARE;

		ref->tr_tok &= ~TOKREF_SHARE;
		if (share)
			return_share(gd, token_of(ref));
		else if (cpu_of(token_of(ref)) == gd)
			serve(gd, token_of(ref));
	}
}

/** td leaves the CPU: whoever waits for a token of its may have it. */
void lwkt_tokens_leave(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_tokref *toks = td->td_toks;

	td->td_toks = NULL; /* of all at once: serving one may run IPI functions that ask for another */
	let_go(gd, toks);
	td->td_toks = toks;
}

static bool has_all(globaldata_t gd, lwkt_thread_t td)
{
	for (const struct lwkt_tokref *ref = td->td_toks; ref; ref = ref->tr_next)
		if ((ref->tr_tok & TOKREF_SHARED) || !may_use(gd, td, token_of(ref)))
			return false; /* a share is gone for certain */
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
	let_go(gd, ref);
}

void lwkt_token_init(lwkt_token_t tok, const char *name)
{
	tok->t_pin = NULL;
	tok->t_shares = 0;
	list_init(&tok->t_requests);
	tok->t_name = name;
	__atomic_store_n(&tok->t_cpu, lwkt_arch_mycpu(), __ATOMIC_RELEASE);
}

/** Whether the running thread may take tokens at all: 0, EDEADLK, EPERM. */
static int may_take(globaldata_t gd, lwkt_thread_t td)
{
	if (__builtin_expect(gd->gd_ipi_depth != 0, 0))
		return EDEADLK;
	return __builtin_expect((td->td_flags & TDF_THREAD0) != 0, 0) ? EPERM : 0;
}

/** Why it can't be taken just so: the thread holds it shared, and would wait for itself, or somebody else has it. */
static int why_not(lwkt_thread_t td, lwkt_token_t tok)
{
	const struct lwkt_tokref *ref = outermost(td, tok);

	return ref && (ref->tr_tok & TOKREF_SHARED) ? EDEADLK : EBUSY;
}

/** Takes the token where that needs no waiting. Returns 0, EBUSY, or what a taker is refused with. */
static int take(struct lwkt_tokref *ref, lwkt_token_t tok)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = gd->gd_curthread;
	int error = may_take(gd, td);

	if (error)
		return error;
	if (cpu_of(tok) != gd || tok->t_pin)
		return why_not(td, tok);
	push(td, ref, tok, 0);
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

/** Takes the token, whatever that needs. */
static int take_waiting(struct lwkt_tokref *ref, lwkt_token_t tok, uintptr_t bits)
{
	lwkt_thread_t td = lwkt_arch_mycpu()->gd_curthread;
	int error;

	if (!lwkt_may_wait(lwkt_arch_mycpu()))
		return EDEADLK;
	lwkt_tokens_leave(lwkt_arch_mycpu(), td); /* as with everything that blocks */
	push(td, ref, tok, bits);
	error = obtain_all(td);
	if (error)
		td->td_toks = ref->tr_next;
	return error;
}

int lwkt_gettoken(struct lwkt_tokref *ref, lwkt_token_t tok)
{
	int error = take(ref, tok);

	return refused(error == EBUSY ? take_waiting(ref, tok, 0) : error, tok, __func__);
}

int lwkt_trytoken(struct lwkt_tokref *ref, lwkt_token_t tok)
{
	int error = take(ref, tok);

	return refused(error, tok, __func__);
}

int lwkt_gettoken_shared(struct lwkt_tokref *ref, lwkt_token_t tok)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = gd->gd_curthread;
	int error = may_take(gd, td);

	if (error)
		return refused(error, tok, __func__);
	if (outermost(td, tok))
		push(td, ref, tok, TOKREF_SHARED);
	else if (take_share(gd, tok))
		push(td, ref, tok, TOKREF_SHARED | TOKREF_SHARE);
	else
		return refused(take_waiting(ref, tok, TOKREF_SHARED), tok, __func__);
	return 0;
}

int lwkt_reltoken(struct lwkt_tokref *ref)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = gd->gd_curthread;
	lwkt_token_t tok = token_of(ref);

	if (td->td_toks != ref)
		return MISUSE(EPERM, "the thread took token \"%s\" last: let go of them in reverse order, each once",
		              td->td_toks ? token_of(td->td_toks)->t_name : "none");
	td->td_toks = ref->tr_next;
	if (ref->tr_tok & TOKREF_SHARE)
		return_share(gd, tok);
	else if (!(ref->tr_tok & TOKREF_SHARED) && !list_empty(&tok->t_requests))
		serve(gd, tok);
	return 0;
}
