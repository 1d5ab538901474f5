/*
 * strategy.c - what a seed says of a schedule: how one is chosen (schedule.c does), after how many instructions, and how often at calls.
 *
 *   --schedule=seed:N[,STRATEGY]
 *
 *   random       whoever can run, each as likely; preemption after random numbers of instructions
 *   pct:D        the lwp of the highest priority, which is random; at D - 1 random places the one that runs gets a lower one than all others (Burckhardt et al., "A
 *                Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010)
 *   round-robin  in turn; preemption after random numbers of instructions
 *   mixed        one of them, which the seed says: what it is if nothing is given
 *   list:...     none: the places where another one goes on than by itself are listed (decisions.c)
 */
#include "schedule.h"

#define DEPTH_MAX 16
#define REACH_BITS 10     /* of a change point: so many own instructions, of several lwps */
#define QUANTUM_BITS 8    /* likewise of a quantum */
#define CALLS_BITS 4
#define RETURNS 3         /* one return from a library in so many */
#define RETURN_QUANTUM 6  /* has a quantum of so many at most */
#define MOVES 4           /* in one preemption of so many time moves, where there is a timer */
#define MOVES_INTERPRETED 1
#define MOVES_CALLS 32    /* and before one call of so many */
#define REACH_BITS_INTERPRETED 12
#define PAGES 2           /* of an interpreter's change points one in so many is of pages, */
#define PAGES_BITS 12     /* of so many at most */
#define QUANTUM_PAGES_LEAST 5 /* bits: an interpreter's quanta are of pages, so many at most, */
#define QUANTUM_PAGES 7       /* or of so many magnitudes more */
#define PAGES_FIRST 64    /* after so many instructions at most, */
#define PAGES_AFTER 4     /* in one quantum of so many; else from the call on */
#define HEAT_PAGES 32768  /* pages after which such a quantum gets half as likely */
#define HEAT 2048         /* own instructions after which counting gets half as likely */

enum strategy strategy;
static uint64_t seed;
static unsigned depth = 3;
static uint64_t points[DEPTH_MAX]; /* own instructions from one change to the next */
static unsigned npoints, point;
static bool interpreted;           /* it takes many more instructions for the same, and threads take turns when time has passed */
static unsigned quantum_bits;
static bool quanta_differ;
static uint64_t calls;             /* one in so many lets others come first */
static uint64_t counted;           /* instructions, as quanta were given; */
static uint64_t counted_pages;     /* likewise */

/* ---------------------------------------------------------------- the options */

static const char *read_number(const char *text, uint64_t *number)
{
	if (*text < '0' || *text > '9')
		program_fail(2, "--schedule", "seed:N[,STRATEGY], where STRATEGY is random, pct:D, round-robin or mixed");
	for (*number = 0; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(*number, 10, number) || __builtin_add_overflow(*number, (uint64_t)(*text - '0'), number))
			program_fail(2, "--schedule", "that number is too large: there are seeds up to 18446744073709551615");
	return text;
}

static void choose_strategy(void)
{
	static const enum strategy all[] = {RANDOM, PCT, RANDOM, PCT, RANDOM, ROUND_ROBIN};

	strategy = all[random_below(sizeof(all) / sizeof(all[0]))];
	depth = 2 + (unsigned)random_below(3);
}

static void read_strategy(const char *name)
{
	uint64_t number = depth;

	if (!strcmp(name, "mixed")) {
		choose_strategy();
		return;
	}
	if (!strncmp(name, "list:", 5)) {
		strategy = LIST;
		decisions_read(name + 5);
		return;
	}
	if (!strncmp(name, "pct:", 4)) {
		name = read_number(name + 4, &number);
		strategy = PCT;
	} else if (!strcmp(name, "round-robin")) {
		strategy = ROUND_ROBIN;
		name += strlen(name);
	} else if (!strcmp(name, "random")) {
		strategy = RANDOM;
		name += strlen(name);
	}
	if (*name || number < 1 || number > DEPTH_MAX)
		program_fail(2, "--schedule", "no such strategy; there are random, pct:D (D from 1 to 16), round-robin and mixed");
	depth = (unsigned)number;
}

/** What the seed says before anything runs. */
static void draw(void)
{
	npoints = depth - 1;
	for (unsigned i = 0; i < npoints; i++)
		points[i] = random_below(REACH_BITS) << 32 | random_below(UINT32_MAX);
	quantum_bits = 1 + (unsigned)random_below(QUANTUM_BITS);
	quanta_differ = random_below(2);
	calls = 1ull << random_below(CALLS_BITS);
}

void strategy_read(const char *text)
{
	if (strncmp(text, "seed:", 5))
		program_fail(2, text, "no such schedule; there is seed:N");
	text = read_number(text + 5, &seed);
	if (*text && *text != ',')
		program_fail(2, "--schedule", "seed:N[,STRATEGY], where N is a number");
	random_begin(seed ^ options.lineage);
	read_strategy(*text ? text + 1 : "mixed");
	draw();
}

/* ---------------------------------------------------------------- draws */

bool strategy_time_moves(const struct moment *moment)
{
	return !random_below(moment->at == AT_CALL ? MOVES_CALLS : interpreted ? MOVES_INTERPRETED : MOVES);
}

bool strategy_keeps(void)
{
	return (strategy == RANDOM || strategy == ROUND_ROBIN) && random_below(calls);
}

/** Of a change point: its magnitude, and how far of that. */
static uint64_t reach(uint64_t drawn)
{
	return 1 + (drawn & UINT32_MAX) % (1ull << (1 + (drawn >> 32) + (interpreted ? REACH_BITS_INTERPRETED - REACH_BITS : 0)));
}

static bool is_cool(uint64_t done, uint64_t heat)
{
	const uint64_t halvings = done / heat;

	return !random_below(1ull << (halvings < 40 ? halvings : 40));
}

/** A statement of an interpreter's is thousands of instructions, and where its threads take turns may be far from a call. */
static bool counts_pages(void)
{
	return interpreted && (strategy != PCT || (point < npoints && !random_below(PAGES))) && is_cool(counted_pages, HEAT_PAGES);
}

/** Some short and some long, whoever's they are: one thread stands where it is, while another one comes far. */
static struct quantum draw_pages(void)
{
	struct quantum quantum = {random_below(PAGES_AFTER) ? 0 : 1 + random_below(PAGES_FIRST), 0};

	if (strategy == PCT) {
		quantum.pages = 1 + random_below(1ull << (1 + random_below(PAGES_BITS)));
		point++;
	} else {
		quantum.pages = 1 + random_below(1ull << (QUANTUM_PAGES_LEAST + random_below(QUANTUM_PAGES)));
	}
	counted_pages += quantum.pages;
	return quantum;
}

static uint64_t draw_instructions(void)
{
	uint64_t quantum;

	if (strategy == PCT)
		return point < npoints ? reach(points[point++]) : 0;
	if (interpreted || !is_cool(counted, HEAT))
		return 0;
	quantum = 1 + random_below(1ull << (quanta_differ ? 1 + random_below(QUANTUM_BITS) : quantum_bits));
	counted += quantum;
	return quantum;
}

struct quantum schedule_quantum(const struct lwp *lwp, struct quantum left)
{
	if (strategy == LIST)
		return decisions_next_step(lwp);
	if (left.instructions || left.pages)
		return left;
	if (counts_pages())
		return draw_pages();
	left.instructions = draw_instructions();
	return left;
}

uint64_t schedule_returns(uint64_t quantum)
{
	uint64_t shorter;

	if (!quantum || strategy == PCT || strategy == LIST || interpreted || random_below(RETURNS))
		return quantum;
	shorter = 1 + random_below(RETURN_QUANTUM);
	return shorter < quantum ? shorter : quantum;
}

void strategy_is_interpreted(void)
{
	interpreted = true;
}

void strategy_forked(void)
{
	random_begin(seed ^ options.lineage);
}
