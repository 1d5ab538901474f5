/*
 * user.c - a C program as one who makes calls (wait/user.h): its memory is there, and what ends a wait is lwkt_interrupt.
 */
#include <string.h>

#include "wait/ways.h"

static long make(struct caller *caller, const struct call *call)
{
	(void)caller;
	return try_call(call);
}

static void look(void)
{
	waits_look(false);
}

static bool wait(struct caller *caller, const char *wmesg, const bool *over)
{
	(void)caller;
	look();
	if (*(const volatile bool *)over)
		return false;
	if (lwkt_take_interrupt()) /* one that came before */
		return true;
	lwkt_wait_once(wmesg);
	return lwkt_take_interrupt() != 0;
}

static long copy(void *to, const void *from, size_t n)
{
	if (n) /* of nothing the address may be NULL */
		memcpy(to, from, n);
	return 0;
}

const struct call_user call_user_plain = {.make = make, .wait = wait, .look = look, .copy = copy};
