/*
 * policy.h - which calls may not be made: a row for each number, the errno that is answered in place of it.
 *
 * Rules are RULE,RULE,... with allow:NAME or deny:NAME:ERRNO in each (EACCES where no errno is named), * for all names. A name stands for its family, and the first rule
 * about a call decides. Where a call is denied that an io_uring or io_submit can make, io_uring_setup or io_setup is EPERM, but for a rule about that itself. What ends a thread, or a signal's handler, is never denied: nothing could come after it.
 *
 * What it is not: a wall around a program that means harm. That has libcr in its memory.
 */
#ifndef SYSCALLS_POLICY_H
#define SYSCALLS_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define POLICY_CALLS 512 /* numbers that have a row: above them there are no calls */
#define POLICY_NAME_MAX 32

/** Why rules are none. */
struct policy_error {
	char what[POLICY_NAME_MAX];
	const char *why;
};

extern bool policy_active; /* there are rules */

/** Adds rules to those there are. False, with what is wrong: some have been added. */
bool policy_add(const char *rules, struct policy_error *error);

/** 0, or the -errno that the call is answered with. */
long policy_look(uint64_t number);

#endif
