/*
 * scale.c - many: a million userthreads one after the other, a hundred thousand at once, more rforks than processors. What is checked is that
 * nothing grows, that all of it comes back, and that everybody makes progress; what it costs is printed and is no test.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>

#define RFORKS 7 /* and the test's own */
#include "rforks.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define MIB (1u << 20)

/* ---------------------------------------------------------------- one after the other */

#define WARM 10000
#define IN_A_ROW 1000000
#define AT_A_TIME 50

static unsigned long ran;

static void runs(void *arg)
{
	(void)arg;
	ran++;
	if (ran % 7 == 0)
		lwkt_yield(); /* then its stack is not simply the next one's */
	if (ran % 11 == 0)
		lwkt_exit();
}

static void create_many(unsigned long upto)
{
	static const size_t sizes[] = {0, LWKT_STACK_MIN, 1024 * 1024};
	struct lwkt_create_args args = {.priority = -1};

	while (stats_now().st_created < upto) {
		for (int i = 0; i < AT_A_TIME; i++) {
			args.stack_size = sizes[i % 3];
			CHECK_EQ(lwkt_create(runs, NULL, NULL, &args), 0);
		}
		run_all();
	}
}

static void a_million(void)
{
	size_t warm, after;

	ran = 0;
	create_many(WARM);
	warm = resident_bytes();
	create_many(IN_A_ROW);
	after = resident_bytes();
	CHECK_EQ(ran, IN_A_ROW);
	CHECK(stats_now().st_pooled <= AT_A_TIME);
	printf("    %zu KiB after %u, %zu KiB after %u\n", warm / 1024, WARM, after / 1024, IN_A_ROW);
	CHECK(after <= warm + MIB);
}

/* ---------------------------------------------------------------- at once */

/* AddressSanitizer keeps shadow memory of each. */
#define ALIVE (CHECK_SANITIZED ? 5000u : 100000u)
#define ALIVE_WITHOUT_GUARDS 20000u

static unsigned long begun, resumed;

static void sleeps(void *arg)
{
	unsigned long number = ++begun;

	(void)arg;
	CHECK_EQ(lwkt_block("all the others"), 0);
	CHECK_EQ(++resumed, number); /* in order, and its stack is as it was */
}

/** Without it two mappings are needed for each stack, and vm.max_map_count limits them to some 32,000. */
static bool has_guard_install(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has;

	CHECK(page != MAP_FAILED);
	/* An emulator that ignores all advice (qemu-user) answers 0 to what is none, too: see stack.c. */
	has = madvise(page, size, 9999) != 0 && madvise(page, size, MADV_GUARD_INSTALL) == 0;
	CHECK_EQ(munmap(page, size), 0);
	return has;
}

static unsigned mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned lines = 0;
	int c;

	CHECK(file != NULL);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

static void all_alive(void)
{
	unsigned count = ALIVE;
	size_t before, alive, after;
	lwkt_thread_t *tds;

	if (!has_guard_install() && count > ALIVE_WITHOUT_GUARDS) {
		count = ALIVE_WITHOUT_GUARDS;
		printf("    this kernel has no MADV_GUARD_INSTALL: %u are enough\n", count);
	}
	tds = calloc(count, sizeof(*tds));
	CHECK(tds != NULL);
	begun = resumed = 0;
	before = resident_bytes();
	for (unsigned i = 0; i < count; i++)
		tds[i] = start(sleeps, NULL, 0);
	run_all();
	CHECK_EQ(begun, count);
	CHECK_EQ(resumed, 0);
	CHECK_EQ(stats_now().st_alive, count);
	alive = resident_bytes();
	printf("    %u alive: %zu bytes each, %u mappings\n", count, (alive - before) / count, mappings());
	for (unsigned i = 0; i < count; i++)
		CHECK_EQ(lwkt_schedule(tds[i]), 0);
	free(tds);
	run_all();
	CHECK_EQ(resumed, count);
	CHECK_EQ(stats_now().st_alive, 0);
	CHECK_EQ(lwkt_pool_trim(0, ~0u), count);
	CHECK_EQ(stats_now().st_pooled, 0);
	malloc_trim(0); /* what was freed and lies below something that was not */
	after = resident_bytes();
	printf("    %zu KiB before, %zu KiB alive, %zu KiB after\n", before / 1024, alive / 1024, after / 1024);
	if (!CHECK_SANITIZED) /* its allocator keeps what is freed */
		CHECK(after <= before + 2 * MIB);
}

/* ---------------------------------------------------------------- more rforks than processors */

#define STATIONS (RFORKS + 1)
#define MESSAGES 20
#define LAPS (100 * SCALE)
#define COUNT (1000 * SCALE)

struct station {
	struct lwkt_port port;
	lwkt_thread_t td, counter;
	unsigned count; /* the counter's own */
};

struct traveller {
	struct lwkt_msg msg;
	unsigned hops;
};

static struct station stations[STATIONS];

/** Every message comes by in every lap, and goes on to the next. */
static void passes_on(void *arg)
{
	struct station *self = arg, *next = &stations[(self - stations + 1) % STATIONS];

	for (unsigned n = 0; n < MESSAGES * LAPS; n++) {
		struct traveller *traveller = (struct traveller *)lwkt_waitport(&self->port, NULL);

		CHECK_EQ(traveller->hops % STATIONS, self - stations);
		if (++traveller->hops == STATIONS * LAPS)
			CHECK_EQ(lwkt_replymsg(&traveller->msg, 0), 0);
		else
			CHECK_EQ(lwkt_forwardmsg(&next->port, &traveller->msg), EASYNC);
	}
}

static void counts(void *arg)
{
	struct station *self = arg;

	while (self->count < COUNT) {
		self->count++;
		lwkt_yield();
	}
}

/** This process' processors, two at most. The rforks begin with the same. */
static void use_two_processors(void)
{
	cpu_set_t all, two;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&two);
	for (unsigned i = 0; i < CPU_SETSIZE && CPU_COUNT(&two) < 2; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &two);
	CHECK_EQ(sched_setaffinity(0, sizeof(two), &two), 0);
}

static void eight_rforks(void)
{
	struct traveller travellers[MESSAGES] = {0};

	use_two_processors();
	begin_rforks();
	for (unsigned i = 0; i < STATIONS; i++) {
		struct lwkt_create_args args = {.priority = -1, .flags = TDF_NOSTART | TDF_JOINABLE, .rfork = rforks[i]};

		CHECK_EQ(lwkt_create(passes_on, &stations[i], &stations[i].td, &args), 0);
		lwkt_initport_thread(&stations[i].port, stations[i].td, "station"); /* before it runs */
	}
	for (unsigned i = 0; i < STATIONS; i++) {
		CHECK_EQ(lwkt_schedule(stations[i].td), 0);
		stations[i].counter = start_on(rforks[i], counts, &stations[i], TDF_JOINABLE);
	}
	for (unsigned i = 0; i < MESSAGES; i++) {
		lwkt_initmsg(&travellers[i].msg, NULL, 0);
		CHECK_EQ(lwkt_sendmsg(&stations[0].port, &travellers[i].msg), 0);
	}
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct traveller *traveller = (struct traveller *)lwkt_waitport(&lwkt_curthread()->td_msgport, NULL);

		CHECK_EQ(traveller->hops, STATIONS * LAPS);
		traveller->hops = 0; /* not twice */
	}
	for (unsigned i = 0; i < STATIONS; i++) {
		CHECK_EQ(lwkt_join(stations[i].td), 0);
		CHECK_EQ(lwkt_join(stations[i].counter), 0);
		CHECK_EQ(stations[i].count, COUNT);
	}
	end_rforks();
}

int main(void)
{
	ON_RFORK(a_million);
	ON_RFORK(all_alive);
	ON_RFORK(eight_rforks);
	return 0;
}
