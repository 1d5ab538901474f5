/*
 * chaos.c - random operations by threads of several rforks, everything at once: create, join, wake, move, give away, send, forward, abort, tokens,
 * serializers, full rings of IPI messages, rforks that share their work and rforks that come and go. Each message must come back once and with the
 * right answer, what is exclusive must be, every thread must be joined, and nothing may be left at the end.
 *
 * The seed is printed; with it as the argument each thread makes the same choices again. How the rforks interleave is the machine's affair: a
 * failure may need several runs with its seed. (stress.c is the one that repeats exactly.) Also under ThreadSanitizer.
 */
#include <stdatomic.h>

#define RFORKS 3
#include "random.h"
#include "rforks.h"

#define CPUS (RFORKS + 1)
#define WORKERS (2 * CPUS)
#define STEPS (50 * SCALE)
#define CHILD_STEPS 8
#define DEPTH 2 /* generations below a worker */
#define CHILDREN 4
#define OUTSTANDING 4
#define SERVERS 4
#define HELD 6
#define TOKENS 3
#define SERIALIZERS 2
#define FLOOD 300 /* more than a ring has */

/** A message, with what tells whether it came back right. */
struct letter {
	struct lwkt_msg msg;
	uint64_t question;
	unsigned served; /* times a server has replied; whoever has the message */
	bool aborted;    /* the sender has asked for it */
	bool out;
};

/** A child, from its parent's point of view. The memory is the parent's until it has joined the thread, but for `woken`. */
struct child {
	lwkt_thread_t td;
	void (*func)(void *arg); /* NULL: there is none */
	uint64_t rng;
	unsigned depth;
	bool moves;        /* it may change rforks */
	_Atomic int woken; /* for one that sleeps; for a baton: how often it was */
};

/** A thread that does random operations: on its stack. */
struct self {
	uint64_t rng;
	unsigned depth; /* generations below it that are allowed */
	bool moves;
	unsigned out;
	struct letter letters[OUTSTANDING];
	struct child children[CHILDREN];
};

/* xorshift64* */
static uint64_t rnd(uint64_t *rng, uint64_t below)
{
	*rng ^= *rng >> 12;
	*rng ^= *rng << 25;
	*rng ^= *rng >> 27;
	return (*rng * 0x2545F4914F6CDD1Dull >> 33) % below;
}

/** A generator of its own for somebody else; never 0. */
static uint64_t fork_rng(uint64_t *rng)
{
	return (rnd(rng, 1u << 31) << 31 | rnd(rng, 1u << 31)) + 1;
}

static globaldata_t any_rfork(uint64_t *rng)
{
	return rforks[rnd(rng, CPUS)];
}

/* Lets all others of this rfork run, whatever their priority. */
static void give_way(void)
{
	int pri = lwkt_curthread()->td_pri;

	CHECK_EQ(lwkt_setpri(lwkt_curthread(), TDPRI_IDLE), 0);
	lwkt_yield();
	CHECK_EQ(lwkt_setpri(lwkt_curthread(), pri), 0);
}

static void move(struct self *self)
{
	globaldata_t to = any_rfork(&self->rng);

	if (!self->moves)
		return;
	CHECK_EQ(lwkt_setcpu_self(to), 0);
	CHECK(lwkt_mycpu() == to);
}

/* ---------------------------------------------------------------- messages */

static struct lwkt_port server_ports[SERVERS];
static _Atomic unsigned long sent, answered, came_back_aborted;

static int64_t answer_to(uint64_t question)
{
	return (int64_t)(question * 5 + 3);
}

static int error_of(uint64_t question)
{
	return question % 4 ? 0 : (int)(question % 30) + 1;
}

static void answer(struct letter *letter)
{
	CHECK_EQ(letter->served, 0);
	letter->served++;
	letter->msg.u.ms_result = answer_to(letter->question);
	CHECK_EQ(lwkt_replymsg(&letter->msg, error_of(letter->question)), 0);
}

struct server {
	uint64_t rng;
	unsigned number;
};

/** Replies now or later, or passes on to a server with a higher number; every second one moves. A letter with question 0 ends it. */
static void serve(void *arg)
{
	struct server *server = arg;
	lwkt_port_t port = &server_ports[server->number];
	struct letter *held[HELD];
	unsigned count = 0;

	for (;;) {
		struct letter *letter = (struct letter *)(count ? lwkt_getport(port, NULL) : lwkt_waitport(port, NULL));

		if (letter && letter->question == 0) {
			while (count)
				answer(held[--count]);
			CHECK_EQ(lwkt_replymsg(&letter->msg, 0), 0);
			return;
		}
		if (letter && server->number + 1 < SERVERS && rnd(&server->rng, 3) == 0)
			CHECK_EQ(lwkt_forwardmsg(&server_ports[server->number + 1], &letter->msg), EASYNC);
		else if (letter)
			held[count++] = letter;
		if (count && (!letter || count == HELD || rnd(&server->rng, 2))) {
			unsigned which = (unsigned)rnd(&server->rng, count);

			answer(held[which]);
			held[which] = held[--count];
		}
		if (rnd(&server->rng, 8) == 0)
			lwkt_yield();
		if (server->number % 2 && rnd(&server->rng, 16) == 0)
			CHECK_EQ(lwkt_setcpu_self(any_rfork(&server->rng)), 0);
	}
}

static void write_letter(struct self *self, struct letter *letter)
{
	uint32_t flags = rnd(&self->rng, 4) ? 0 : MSGF_PRIORITY;

	if (rnd(&self->rng, 2))
		lwkt_initmsg_abortable(&letter->msg, NULL, flags, lwkt_default_abortmsg);
	else
		lwkt_initmsg(&letter->msg, NULL, flags);
	letter->question = 1 + rnd(&self->rng, 1000000);
	letter->served = 0;
	letter->aborted = false;
	atomic_fetch_add(&sent, 1);
}

/** It is back. */
static void read_answer(struct letter *letter)
{
	CHECK_EQ(letter->msg.ms_flags & (MSGF_DONE | MSGF_REPLY | MSGF_QUEUED), MSGF_DONE | MSGF_REPLY);
	if (letter->served == 0) {
		CHECK(letter->aborted);
		CHECK_EQ(letter->msg.ms_error, ECONNABORTED);
		atomic_fetch_add(&came_back_aborted, 1);
	} else {
		CHECK_EQ(letter->served, 1);
		CHECK_EQ(letter->msg.ms_error, error_of(letter->question));
		CHECK_EQ(letter->msg.u.ms_result, answer_to(letter->question));
	}
	atomic_fetch_add(&answered, 1);
}

static void do_one(struct self *self)
{
	struct letter letter;
	int error;

	write_letter(self, &letter);
	error = lwkt_domsg(&server_ports[rnd(&self->rng, SERVERS)], &letter.msg);
	CHECK_EQ(error, letter.msg.ms_error);
	read_answer(&letter);
}

static void send_one(struct self *self)
{
	for (int i = 0; i < OUTSTANDING; i++) {
		struct letter *letter = &self->letters[i];

		if (letter->out)
			continue;
		write_letter(self, letter);
		letter->out = true;
		self->out++;
		CHECK_EQ(lwkt_sendmsg(&server_ports[rnd(&self->rng, SERVERS)], &letter->msg), 0);
		return;
	}
}

static void get_one(struct self *self)
{
	struct letter *letter;
	int error;

	if (!self->out)
		return;
	if (rnd(&self->rng, 2)) {
		letter = (struct letter *)lwkt_waitport(&lwkt_curthread()->td_msgport, NULL);
	} else {
		do
			letter = &self->letters[rnd(&self->rng, OUTSTANDING)];
		while (!letter->out);
		error = lwkt_waitmsg(&letter->msg);
		CHECK_EQ(error, letter->msg.ms_error);
	}
	CHECK(letter >= self->letters && letter < self->letters + OUTSTANDING && letter->out);
	read_answer(letter);
	letter->out = false;
	self->out--;
}

static void abort_one(struct self *self)
{
	struct letter *letter = &self->letters[rnd(&self->rng, OUTSTANDING)];
	int error;

	if (!letter->out)
		return;
	letter->aborted = true;
	error = lwkt_abortmsg(&letter->msg);
	CHECK(error == 0 || error == EALREADY || (error == EOPNOTSUPP && !letter->msg.ms_abortfn));
}

/* ---------------------------------------------------------------- tokens and serializers */

static struct lwkt_token tokens[TOKENS];
static struct lwkt_serialize serializers[SERIALIZERS];
static struct {
	int inside; /* plain: only what is tested protects it */
	unsigned long visits;
} by_token[TOKENS], by_serializer[SERIALIZERS];
static _Atomic unsigned long visits;

static void flood(struct self *self);

static void touch(unsigned i, bool shared)
{
	if (shared) {
		unsigned long before = by_token[i].visits;

		lwkt_process_ipiq();
		CHECK_EQ(by_token[i].inside, 0);
		CHECK_EQ(by_token[i].visits, before);
		return;
	}
	CHECK_EQ(by_token[i].inside, 0);
	by_token[i].inside = 1;
	by_token[i].visits++;
	lwkt_process_ipiq(); /* others ask for it: not now */
	CHECK_EQ(by_token[i].inside, 1);
	by_token[i].inside = 0;
	atomic_fetch_add(&visits, 1);
}

/* Takes some, in any order; each is its own again after everything that blocks. */
static void take_tokens(struct self *self)
{
	struct lwkt_tokref refs[TOKENS];
	unsigned which[TOKENS], count = 1 + (unsigned)rnd(&self->rng, TOKENS);
	bool shared[TOKENS];

	for (unsigned k = 0; k < count; k++) {
		int error = EBUSY;

		which[k] = (unsigned)rnd(&self->rng, TOKENS);
		shared[k] = rnd(&self->rng, 2);
		if (!shared[k] && (error = lwkt_trytoken(&refs[k], &tokens[which[k]])) == EBUSY)
			error = lwkt_gettoken(&refs[k], &tokens[which[k]]);
		shared[k] |= error == EDEADLK; /* it has it shared already */
		if (shared[k])
			error = lwkt_gettoken_shared(&refs[k], &tokens[which[k]]);
		CHECK_EQ(error, 0);
		for (unsigned j = 0; j <= k; j++)
			touch(which[j], shared[j]);
	}
	switch (rnd(&self->rng, 6)) {
	case 0:
		move(self);
		break;
	case 1:
		do_one(self);
		break;
	case 2:
		flood(self);
		break;
	case 3:
		lwkt_yield();
		break;
	}
	while (count) {
		touch(which[count - 1], shared[count - 1]);
		CHECK_EQ(lwkt_reltoken(&refs[--count]), 0);
	}
}

static void enter_serializer(struct self *self)
{
	unsigned i = (unsigned)rnd(&self->rng, SERIALIZERS);

	if (lwkt_serialize_try(&serializers[i]) != 0)
		CHECK_EQ(lwkt_serialize_enter(&serializers[i]), 0);
	CHECK_EQ(by_serializer[i].inside, 0);
	by_serializer[i].inside = 1;
	by_serializer[i].visits++;
	switch (rnd(&self->rng, 4)) { /* it is kept all the time */
	case 0:
		move(self);
		break;
	case 1:
		do_one(self);
		break;
	case 2:
		take_tokens(self);
		break;
	default:
		lwkt_yield();
	}
	CHECK_EQ(by_serializer[i].inside, 1);
	by_serializer[i].inside = 0;
	CHECK_EQ(lwkt_serialize_exit(&serializers[i]), 0);
	atomic_fetch_add(&visits, 1);
}

/* ---------------------------------------------------------------- IPI messages */

static struct {
	unsigned long count; /* the rfork's own */
	char padding[64];
} arrived[CPUS];
static _Atomic unsigned long flooded;

static unsigned my_number(void)
{
	unsigned n = 0;

	while (rforks[n] != lwkt_mycpu())
		n++;
	return n;
}

static void arrives(void *arg)
{
	(void)arg;
	arrived[my_number()].count++;
	CHECK_EQ(lwkt_block("in an IPI function"), EDEADLK);
}

static void bounces(void *to)
{
	arrived[my_number()].count++;
	CHECK_EQ(lwkt_send_ipiq(to, arrives, NULL, NULL), 0);
}

/* Fills a ring and more. Not on the rforks that come and go: what is counted is counted by those that stay. */
static void flood(struct self *self)
{
	globaldata_t target = any_rfork(&self->rng), back = any_rfork(&self->rng);
	unsigned n = rnd(&self->rng, 8) ? 1 + (unsigned)rnd(&self->rng, 10) : FLOOD;
	uint64_t seq = 0;

	for (unsigned i = 0; i < n; i++) {
		if (rnd(&self->rng, 3) == 0) {
			CHECK_EQ(lwkt_send_ipiq(target, bounces, back, &seq), 0);
			atomic_fetch_add(&flooded, 2);
		} else {
			CHECK_EQ((rnd(&self->rng, 2) ? lwkt_send_ipiq : lwkt_send_ipiq_passive)(target, arrives, NULL, &seq), 0);
			atomic_fetch_add(&flooded, 1);
		}
	}
	if (rnd(&self->rng, 2))
		CHECK_EQ(lwkt_wait_ipiq(target, seq), 0);
}

/* ---------------------------------------------------------------- threads */

static _Atomic unsigned long created, ended;

static void works(void *arg);

static void sleeps(void *arg)
{
	struct child *child = arg;
	struct self self = {.rng = child->rng, .moves = child->moves};

	move(&self);
	while (!atomic_load(&child->woken))
		CHECK_EQ(lwkt_block("chaos"), 0);
	move(&self);
	atomic_fetch_add(&ended, 1);
}

/** For a sleeper that moves: `woken` is written where it is, so that it can't be gone before this is over. */
static void wake_here(void *arg)
{
	struct child *child = arg;
	globaldata_t owner = __atomic_load_n(&child->td->td_gd, __ATOMIC_ACQUIRE);

	if (owner != lwkt_mycpu()) {
		CHECK_EQ(lwkt_send_ipiq(owner, wake_here, child, NULL), 0);
		return;
	}
	atomic_store(&child->woken, 1);
	CHECK_EQ(lwkt_schedule(child->td), 0);
}

static void wake(struct child *child)
{
	if (child->moves) {
		CHECK_EQ(lwkt_send_ipiq(__atomic_load_n(&child->td->td_gd, __ATOMIC_ACQUIRE), wake_here, child, NULL), 0);
		return;
	}
	atomic_store(&child->woken, 1);
	CHECK_EQ(lwkt_schedule(child->td), 0);
}

/* Goes from hand to hand, asleep. */
#define HANDS 5

static void baton(void *arg)
{
	struct child *child = arg;

	for (int n = 0; n < HANDS; n++) {
		globaldata_t before = lwkt_mycpu();

		CHECK_EQ(lwkt_block("the next hand"), 0);
		CHECK(before != lwkt_mycpu());
		CHECK_EQ(atomic_fetch_add(&child->woken, 1), n);
	}
	atomic_fetch_add(&ended, 1);
}

struct pass {
	lwkt_thread_t td;
	globaldata_t next;
	int error;
};

static void take(void *td)
{
	CHECK_EQ(lwkt_acquire(td), 0);
	CHECK_EQ(lwkt_schedule(td), 0);
}

/* On the rfork that has it. */
static void pass_on(void *arg)
{
	struct pass *pass = arg;

	pass->error = lwkt_giveaway(pass->td);
	if (!pass->error)
		CHECK_EQ(lwkt_send_ipiq(pass->next, take, pass->td, NULL), 0);
}

/* What was sent before it has run. */
static void passes(void *arg)
{
	(void)arg;
}

static void start_child(struct self *self, struct child *child, void (*func)(void *), bool moves, globaldata_t where)
{
	static const size_t sizes[] = {SMALL_STACK, 2 * SMALL_STACK, 0};
	struct lwkt_create_args args = {.priority = (int)rnd(&self->rng, 33) - 1, .stack_size = sizes[rnd(&self->rng, 3)], .rfork = where};

	args.flags = TDF_JOINABLE | (rnd(&self->rng, 4) ? 0 : TDF_NOSTART);
	if (moves && rnd(&self->rng, 2))
		args.flags |= TDF_MIGRATABLE; /* until it chooses by itself */
	child->func = func;
	child->rng = fork_rng(&self->rng);
	child->depth = self->depth ? self->depth - 1 : 0;
	child->moves = moves;
	atomic_store(&child->woken, 0);
	atomic_fetch_add(&created, 1);
	CHECK_EQ(lwkt_create(func, child, &child->td, &args), 0);
	if (!(args.flags & TDF_NOSTART))
		return;
	CHECK_EQ(lwkt_schedule(child->td), 0);
	if (self->moves) { /* that must have run before anybody joins the thread, and this one may ask to from another rfork */
		uint64_t seq;

		CHECK_EQ(lwkt_send_ipiq(where, passes, NULL, &seq), 0);
		CHECK_EQ(lwkt_wait_ipiq(where, seq), 0);
	}
}

static void join_child(struct child *child)
{
	if (child->func == sleeps)
		wake(child);
	CHECK_EQ(lwkt_join(child->td), 0);
	child->func = NULL;
}

static void pass_baton(struct self *self)
{
	struct child child;
	struct pass pass;
	unsigned at = (unsigned)rnd(&self->rng, CPUS);

	start_child(self, &child, baton, false, rforks[at]);
	pass.td = child.td;
	for (int n = 0; n < HANDS; n++) {
		unsigned next = (at + 1 + (unsigned)rnd(&self->rng, CPUS - 1)) % CPUS;

		pass.next = rforks[next];
		for (;;) {
			uint64_t seq;

			CHECK_EQ(lwkt_send_ipiq(rforks[at], pass_on, &pass, &seq), 0);
			CHECK_EQ(lwkt_wait_ipiq(rforks[at], seq), 0);
			if (!pass.error)
				break;
			CHECK(pass.error == EINVAL || pass.error == EPERM); /* it has not gone to sleep again, or not arrived */
			give_way();
		}
		at = next;
	}
	while (atomic_load(&child.woken) < HANDS) /* it has been taken: until then it belongs to nobody who could tell that it has ended */
		give_way();
	CHECK_EQ(lwkt_join(child.td), 0);
}

static void create_or_join(struct self *self)
{
	struct child *child = &self->children[rnd(&self->rng, CHILDREN)];
	bool moves = rnd(&self->rng, 2);

	if (child->func)
		join_child(child);
	else if (rnd(&self->rng, 3) == 0)
		start_child(self, child, sleeps, moves, any_rfork(&self->rng));
	else if (self->depth)
		start_child(self, child, works, moves, any_rfork(&self->rng));
}

/* Another rfork for a short time, with some threads that leave it and end elsewhere. One at a time. */
static struct lwkt_serialize one_more;

static void begin_and_end_rfork(struct self *self)
{
	struct lwkt_rfork_args args = {.name = "more"};
	struct child children[CHILDREN];
	globaldata_t more;

	if (lwkt_serialize_try(&one_more) != 0)
		return;
	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &more, &args), 0);
	for (int i = 0; i < CHILDREN; i++)
		start_child(self, &children[i], sleeps, true, more);
	for (int i = 0; i < CHILDREN; i++)
		join_child(&children[i]);
	CHECK_EQ(lwkt_rfork_join(more), 0);
	CHECK_EQ(lwkt_serialize_exit(&one_more), 0);
}

__attribute__((noinline)) static void descend(uint64_t magic, unsigned levels)
{
	volatile uint64_t frame[32];

	for (int i = 0; i < 32; i++)
		frame[i] = magic + levels;
	if (levels)
		descend(magic, levels - 1);
	else
		lwkt_yield();
	for (int i = 0; i < 32; i++)
		CHECK(frame[i] == magic + levels);
}

/* ---------------------------------------------------------------- all of it */

static void one_operation(struct self *self)
{
	switch (rnd(&self->rng, 16)) {
	case 0:
	case 1:
		create_or_join(self);
		break;
	case 2:
		move(self);
		break;
	case 3:
		CHECK_EQ(lwkt_setpri(lwkt_curthread(), (int)rnd(&self->rng, 32)), 0);
		break;
	case 4:
		do_one(self);
		break;
	case 5:
	case 6:
		send_one(self);
		break;
	case 7:
		get_one(self);
		break;
	case 8:
		abort_one(self);
		break;
	case 9:
	case 10:
		take_tokens(self);
		break;
	case 11:
		enter_serializer(self);
		break;
	case 12:
		flood(self);
		break;
	case 13:
		descend(self->rng, (unsigned)rnd(&self->rng, 30));
		break;
	case 14:
		if (self->depth && rnd(&self->rng, 4) == 0)
			pass_baton(self);
		else if (self->depth == DEPTH && rnd(&self->rng, 8) == 0)
			begin_and_end_rfork(self);
		break;
	default:
		lwkt_yield();
	}
}

static void works(void *arg)
{
	struct child *child = arg;
	struct self self = {.rng = child->rng, .depth = child->depth, .moves = child->moves};
	uint64_t magic = self.rng;

	for (unsigned n = 0; n < (self.depth == DEPTH ? STEPS : CHILD_STEPS); n++)
		one_operation(&self);
	while (self.out)
		get_one(&self);
	for (int i = 0; i < CHILDREN; i++)
		if (self.children[i].func)
			join_child(&self.children[i]);
	CHECK_EQ(lwkt_curthread()->td_msgport.mp_count, 0);
	CHECK(child->rng == magic && !lwkt_curthread()->td_toks);
	atomic_fetch_add(&ended, 1);
}

static uint64_t seed;

static void shares(void *arg)
{
	(void)arg;
	lwkt_share_work(1);
}

static void begin_servers(struct server servers[SERVERS], lwkt_thread_t tds[SERVERS])
{
	for (unsigned i = 0; i < SERVERS; i++) {
		struct lwkt_create_args args = {.priority = -1, .flags = TDF_NOSTART | TDF_JOINABLE, .rfork = rforks[i % CPUS]};

		servers[i] = (struct server){fork_rng(&seed), i};
		CHECK_EQ(lwkt_create(serve, &servers[i], &tds[i], &args), 0);
		lwkt_initport_thread(&server_ports[i], tds[i], "server");
	}
	for (unsigned i = 0; i < SERVERS; i++)
		CHECK_EQ(lwkt_schedule(tds[i]), 0);
}

static void end_servers(lwkt_thread_t tds[SERVERS])
{
	for (unsigned i = 0; i < SERVERS; i++) { /* none of the later ones has ended: they may still be forwarded to */
		struct letter stop = {0};

		lwkt_initmsg(&stop.msg, NULL, 0);
		CHECK_EQ(lwkt_domsg(&server_ports[i], &stop.msg), 0);
		CHECK_EQ(lwkt_join(tds[i]), 0);
	}
}

static void chaos(void)
{
	struct self root = {.rng = seed, .depth = DEPTH + 1};
	struct child workers[WORKERS];
	struct server servers[SERVERS];
	lwkt_thread_t server_tds[SERVERS];
	unsigned long arrivals = 0, by_tokens = 0;

	begin_rforks();
	for (int i = 0; i < CPUS; i++)
		if (rnd(&seed, 4))
			CHECK_EQ(lwkt_send_ipiq(rforks[i], shares, NULL, NULL), 0);
	lwkt_serialize_init(&one_more);
	for (int i = 0; i < TOKENS; i++)
		lwkt_token_init(&tokens[i], "chaos");
	for (int i = 0; i < SERIALIZERS; i++)
		lwkt_serialize_init(&serializers[i]);
	begin_servers(servers, server_tds);
	for (int i = 0; i < WORKERS; i++)
		start_child(&root, &workers[i], works, i % 4 != 0, rforks[i % CPUS]);
	for (int i = 0; i < WORKERS; i++)
		join_child(&workers[i]);
	end_servers(server_tds);
	end_rforks(); /* all that was sent there has run */
	lwkt_process_ipiq();
	CHECK_EQ(ended, created);
	CHECK_EQ(sent, answered);
	for (int i = 0; i < CPUS; i++)
		arrivals += arrived[i].count;
	CHECK_EQ(arrivals, flooded);
	for (int i = 0; i < TOKENS; i++) {
		by_tokens += by_token[i].visits;
		CHECK(!tokens[i].t_pin && !tokens[i].t_shares && tokens[i].t_requests.next == &tokens[i].t_requests);
	}
	for (int i = 0; i < SERIALIZERS; i++) {
		by_tokens += by_serializer[i].visits;
		CHECK(!serializers[i].s_owner);
	}
	CHECK_EQ(by_tokens, visits);
	printf("  %lu threads, %lu messages (%lu aborted), %lu visits, %lu IPI messages\n", created, sent, came_back_aborted, visits, flooded);
}

int main(int argc, char **argv)
{
	begin_random(argc, argv);
	seed = test_seed ? test_seed : 1; /* 0 would stay 0 */
	ON_RFORK(chaos);
	return 0;
}
