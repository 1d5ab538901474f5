/*
 * copied.h - a system call in memory of its own, so that it can be made while JavaScript runs on: what offload.c's helper threads and
 * the ring (ring.h) work on.
 *
 * Copies, and not the caller's buffers with something that keeps them alive: an ArrayBuffer can be transferred, shrunk or detached at
 * any time, and whoever has the memory then must never see a kernel write into it. A reference would keep the memory, but not its
 * owner. What a copy costs is small against what such a call waits for; what needs no wait never comes here.
 *
 * Invariants: args point into block, iov or path memory of this struct and nowhere else; block stays where it is until copied_free.
 */
#ifndef LIBCR_SYSCALLS_COPIED_H
#define LIBCR_SYSCALLS_COPIED_H

#include "syscalls.h"

struct copied {
	const struct call_row *row;
	long number;
	long args[6];
	struct iovec iov; /* of calls that take several buffers: one piece here */
	char *block;      /* all that the arguments point at, from an allocation of its own; NULL where they point at nothing */
	size_t sizes[6];  /* of what each pointer points at, where it is not a read or write */
	size_t data;      /* of reads and writes: bytes of data in block, those moved before included */
	long done;        /* of reads and writes: bytes moved before it came here */
};

/** Copies a call. done: bytes of its data that have been moved already. Answers 0 or -ENOMEM. */
int copied_init(struct copied *copied, const struct marshalled *call, long done);

/**
 * Copies what the kernel has written for result into the caller's buffers, which are looked up anew in values. Answers 0, or -1 where they
 * have become too small.
 */
int copied_deliver(const struct copied *copied, long result, struct environment *environment, napi_value *values, size_t nvalues);

void copied_free(struct copied *copied);

#endif
