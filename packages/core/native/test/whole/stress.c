/*
 * stress.c - random operations by hundreds of threads, everything at once: what each thread sees must stay its own, each message must come
 * back once with the right answer, and nothing may be left at the end. The seed is printed; with it as the argument the run is the
 * same again (there is no clock in it, so it is the same operation by operation).
 */
#include <fenv.h>

#include "random.h"

#define SLOTS 300
#define SERVERS 4
#define OUTSTANDING 6
#define TOTAL (CHECK_SANITIZED ? 4000u : 30000u)

struct letter {
	struct lwkt_msg msg;
	uint64_t question;
	int aborted;
	bool out;
};

struct slot {
	lwkt_thread_t td; /* NULL: free */
	bool sleeping;    /* somebody has to wake it */
	bool joinable;
	bool joined; /* somebody is at it */
	uint64_t id;
};

static uint64_t seed;
static struct slot slots[SLOTS];
static lwkt_port_t server_ports[SERVERS];
static struct lwkt_port server_memory[SERVERS];
static uint64_t created, ended, sent, answered, visits;

/* xorshift64* */
static uint64_t rnd(uint64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545F4914F6CDD1Dull >> 33) % below;
}

static int64_t answer_to(uint64_t question)
{
	return (int64_t)(question * 3 + 1);
}

static int error_of(uint64_t question)
{
	return question % 5 ? 0 : (int)(question % 100) + 1;
}

/* ---- servers: reply now, later, or pass on to a server with a higher number */

static void serve(void *arg)
{
	uintptr_t number = (uintptr_t)arg;
	lwkt_port_t port = server_ports[number];
	struct letter *held[8];
	unsigned count = 0;

	for (;;) {
		struct letter *letter = (struct letter *)(count ? lwkt_getport(port, NULL) : lwkt_waitport(port, NULL));

		if (letter && letter->question == 0) {
			CHECK_EQ(count, 0);
			CHECK_EQ(lwkt_replymsg(&letter->msg, 0), 0);
			return;
		}
		if (letter && number + 1 < SERVERS && rnd(4) == 0) {
			uint64_t to = number + 1 + rnd(SERVERS - number - 1);

			CHECK_EQ(lwkt_forwardmsg(server_ports[to], &letter->msg), EASYNC);
			continue;
		}
		if (letter)
			held[count++] = letter;
		if (count && (!letter || count == 8 || rnd(2))) {
			unsigned which = (unsigned)rnd(count);
			struct letter *reply = held[which];

			held[which] = held[--count];
			reply->msg.u.ms_result = answer_to(reply->question);
			CHECK_EQ(lwkt_replymsg(&reply->msg, error_of(reply->question)), 0);
			answered++;
		}
		if (rnd(3) == 0)
			lwkt_yield();
	}
}

/* ---- workers */

struct self {
	uint64_t magic;
	struct slot *slot;
	struct letter letters[OUTSTANDING];
	unsigned out;
	int rounding;
};

static void verify(const struct self *self)
{
	CHECK(lwkt_curthread() == self->slot->td);
	CHECK(self->magic == self->slot->id * 0x9E3779B97F4A7C15ull);
	CHECK_EQ(self->slot->td->td_critcount, 0);
	CHECK_EQ(fegetround(), self->rounding);
	CHECK_EQ(errno, (int)(self->magic % 1000));
}

static void abort_letter(lwkt_msg_t msg)
{
	((struct letter *)msg)->aborted++;
}

static void write_letter(struct letter *letter)
{
	*letter = (struct letter){.question = 1 + rnd(1u << 30)};
	if (rnd(2))
		lwkt_initmsg_abortable(&letter->msg, NULL, rnd(4) ? 0 : MSGF_PRIORITY, abort_letter);
	else
		lwkt_initmsg(&letter->msg, NULL, rnd(4) ? 0 : MSGF_PRIORITY);
}

static void read_answer(struct letter *letter)
{
	CHECK(lwkt_checkmsg(&letter->msg));
	CHECK_EQ(letter->msg.ms_flags & MSGF_QUEUED, 0);
	CHECK_EQ(letter->msg.ms_error, error_of(letter->question));
	CHECK_EQ(letter->msg.u.ms_result, answer_to(letter->question));
	letter->out = false;
}

static void send_one(struct self *self)
{
	for (int i = 0; i < OUTSTANDING; i++) {
		struct letter *letter = &self->letters[i];

		if (letter->out)
			continue;
		write_letter(letter);
		letter->out = true;
		sent++;
		self->out++;
		CHECK_EQ(lwkt_sendmsg(server_ports[rnd(SERVERS)], &letter->msg), 0);
		CHECK_EQ(lwkt_sendmsg(server_ports[0], &letter->msg), EBUSY);
		return;
	}
}

static void get_one(struct self *self)
{
	struct letter *letter;

	if (!self->out)
		return;
	if (rnd(2)) {
		letter = (struct letter *)lwkt_waitport(&lwkt_curthread()->td_msgport, NULL);
	} else {
		do
			letter = &self->letters[rnd(OUTSTANDING)];
		while (!letter->out);
		CHECK_EQ(lwkt_waitmsg(&letter->msg), error_of(letter->question));
	}
	CHECK(letter >= self->letters && letter < self->letters + OUTSTANDING && letter->out);
	read_answer(letter);
	self->out--;
}

static void do_one(void)
{
	struct letter letter;

	write_letter(&letter);
	sent++;
	CHECK_EQ(lwkt_domsg(server_ports[rnd(SERVERS)], &letter.msg), error_of(letter.question));
	read_answer(&letter);
}

static void abort_one(struct self *self)
{
	struct letter *letter = &self->letters[rnd(OUTSTANDING)];
	int error;

	if (!letter->out)
		return;
	error = lwkt_abortmsg(&letter->msg);
	if (letter->msg.ms_flags & MSGF_DONE)
		CHECK_EQ(error, EALREADY);
	else
		CHECK_EQ(error, letter->msg.ms_flags & MSGF_ABORTABLE ? 0 : EOPNOTSUPP);
}

static void sleep_until_woken(struct slot *slot)
{
	slot->sleeping = true;
	while (slot->sleeping)
		CHECK_EQ(lwkt_block("stress"), 0);
}

static bool wake_one(struct slot *slot)
{
	if (!slot->td || !slot->sleeping)
		return false;
	slot->sleeping = false;
	CHECK_EQ(lwkt_schedule(slot->td), 0);
	return true;
}

static void join_one(uint64_t older_than)
{
	struct slot *slot = &slots[rnd(SLOTS)];
	lwkt_thread_t td = slot->td;
	int error;

	/* Only younger ones: no two wait for each other. */
	if (!td || !slot->joinable || slot->joined || slot->id <= older_than)
		return;
	slot->joined = true;
	error = lwkt_join(td);
	if (error) { /* thread0 does not wait when all the others do */
		CHECK_EQ(error, EDEADLK);
		CHECK_EQ(older_than, 0);
		slot->joined = false;
		return;
	}
	slot->td = NULL;
}

static void look(void *arg)
{
	struct slot *slot = arg;

	CHECK(lwkt_curthread() == slot->td);
	visits++;
}

static void visit_one(void)
{
	struct slot *slot = &slots[rnd(SLOTS)];

	if (slot->td && slot->sleeping && slot->td != lwkt_curthread())
		CHECK_EQ(lwkt_visit(slot->td, look, slot), 0);
}

static void works(void *arg);

static void create_one(void)
{
	static const size_t sizes[] = {SMALL_STACK, 2 * SMALL_STACK, 0};
	struct slot *slot = &slots[rnd(SLOTS)];
	struct lwkt_create_args args = {.priority = (int)rnd(33) - 1, .stack_size = sizes[rnd(3)]};

	if (slot->td || created == TOTAL)
		return;
	slot->id = ++created;
	slot->joined = slot->sleeping = false;
	slot->joinable = rnd(3) == 0;
	args.flags = slot->joinable ? TDF_JOINABLE : 0;
	CHECK_EQ(lwkt_create(works, slot, &slot->td, &args), 0);
}

__attribute__((noinline)) static void descend(struct self *self, unsigned levels)
{
	volatile uint64_t frame[32];

	for (int i = 0; i < 32; i++)
		frame[i] = self->magic + levels;
	if (levels)
		descend(self, levels - 1);
	else
		lwkt_yield();
	for (int i = 0; i < 32; i++)
		CHECK(frame[i] == self->magic + levels);
}

static void one_operation(struct self *self)
{
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

	switch (rnd(16)) {
	case 0:
		sleep_until_woken(self->slot);
		break;
	case 1:
	case 2:
		wake_one(&slots[rnd(SLOTS)]);
		break;
	case 3: { /* for nothing */
		struct slot *slot = &slots[rnd(SLOTS)];

		if (slot->td && !(slot->td->td_flags & TDF_EXITING))
			CHECK_EQ(lwkt_schedule(slot->td), 0);
		break;
	}
	case 4: {
		struct slot *slot = &slots[rnd(SLOTS)];

		if (slot->td && !(slot->td->td_flags & TDF_EXITING))
			CHECK_EQ(lwkt_setpri(slot->td, (int)rnd(32)), 0);
		break;
	}
	case 5:
	case 6:
		create_one();
		break;
	case 7:
		join_one(self->slot->id);
		break;
	case 8:
		do_one();
		break;
	case 9:
		send_one(self);
		break;
	case 10:
		get_one(self);
		break;
	case 11:
		abort_one(self);
		break;
	case 12:
		visit_one();
		break;
	case 13:
		descend(self, (unsigned)rnd(40));
		break;
	case 14:
		self->rounding = modes[rnd(4)];
		CHECK_EQ(fesetround(self->rounding), 0);
		break;
	default:
		lwkt_yield();
	}
}

static void works(void *arg)
{
	struct slot *slot = arg;
	struct self self = {.slot = slot, .magic = slot->id * 0x9E3779B97F4A7C15ull, .rounding = FE_TONEAREST};

	errno = (int)(self.magic % 1000);
	for (uint64_t steps = 1 + rnd(60); steps > 0; steps--) {
		verify(&self);
		one_operation(&self);
	}
	while (self.out)
		get_one(&self);
	verify(&self);
	CHECK_EQ(lwkt_curthread()->td_msgport.mp_count, 0);
	ended++;
	if (!slot->joinable)
		slot->td = NULL;
	if (rnd(4) == 0)
		lwkt_exit();
}

static void stress(void)
{
	for (uintptr_t i = 0; i < SERVERS; i++) {
		server_ports[i] = &server_memory[i];
		lwkt_initport_thread(server_ports[i], start_at((int)rnd(32), serve, (void *)i, 0), NULL);
	}
	while (ended < TOTAL) {
		/* thread0 has its turn when everybody sleeps. */
		for (int i = 0; i < 5; i++)
			create_one();
		do_one();
		join_one(0);
		visit_one();
		if (rnd(4) == 0)
			lwkt_pool_trim((unsigned)rnd(100), (unsigned)rnd(50));
		run_all();
		for (int i = 0; i < SLOTS; i++)
			wake_one(&slots[i]);
	}
	run_all();
	for (int i = 0; i < SLOTS; i++) {
		if (!slots[i].td)
			continue;
		CHECK(slots[i].joinable && !slots[i].joined);
		CHECK_EQ(lwkt_join(slots[i].td), 0);
	}
	for (int i = 0; i < SERVERS; i++) {
		struct letter stop = {0};

		lwkt_initmsg(&stop.msg, NULL, 0);
		CHECK_EQ(lwkt_domsg(server_ports[i], &stop.msg), 0);
	}
	run_all();
	CHECK_EQ(sent, answered);
	CHECK_EQ(stats_now().st_created, TOTAL + SERVERS);
	printf("  %llu threads, %llu messages, %llu visits, %llu switches\n", (unsigned long long)created, (unsigned long long)sent,
	       (unsigned long long)visits, (unsigned long long)stats_now().st_switches);
}

int main(int argc, char **argv)
{
	begin_random(argc, argv);
	seed = test_seed ? test_seed : 1; /* 0 would stay 0 */
	ON_RFORK(stress);
	return 0;
}
