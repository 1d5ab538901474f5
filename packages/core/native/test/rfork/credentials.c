/*
 * credentials.c - what the C library does to all kernel threads at once, and waits for until each has done it (setuid and its like, as Linux has
 * these ids for each thread alone), while there are userthreads: it returns. It would not if the C library knew of threads that are none.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <sys/types.h>

#define RFORKS 2
#include "rforks.h"

/* Ids that are one's own already: what anybody may set. Only root may set the groups, and whoever is refused has been answered, too. */
static void set_all(void)
{
	gid_t groups[256];
	int many = getgroups(256, groups);

	CHECK_EQ(setuid(getuid()), 0);
	CHECK_EQ(setgid(getgid()), 0);
	CHECK_EQ(seteuid(geteuid()), 0);
	CHECK_EQ(setegid(getegid()), 0);
	CHECK_EQ(setresuid(getuid(), geteuid(), geteuid()), 0);
	CHECK_EQ(setresgid(getgid(), getegid(), getegid()), 0);
	CHECK(many >= 0);
	if (setgroups((size_t)many, groups) != 0)
		CHECK_EQ(errno, EPERM);
}

static void sets_all(void *arg)
{
	(void)arg;
	set_all();
	lwkt_yield();
	set_all();
}

static void sleeps(void *arg)
{
	(void)arg;
	lwkt_block("test");
}

static void beside_userthreads(void)
{
	enum { MANY = 40 };
	lwkt_thread_t tds[MANY];

	begin_rforks();
	for (int i = 0; i < MANY; i++)
		tds[i] = start_on(rforks[i % (RFORKS + 1)], sleeps, NULL, TDF_JOINABLE);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(lwkt_join(start_on(rforks[i], sets_all, NULL, TDF_JOINABLE)), 0);
	set_all(); /* some sleep, others have ended and left their stacks */
	for (int i = 0; i < MANY; i++)
		lwkt_schedule(tds[i]);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	set_all();
	end_rforks();
	lwkt_pool_trim(0, ~0u);
	set_all();
}

int main(void)
{
	alarm(300); /* a hang is a failure, and soon */
	ON_RFORK(beside_userthreads);
	return 0;
}
