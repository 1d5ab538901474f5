/*
 * operation.h - which system call is which operation of io_uring, and how its arguments become an entry.
 */
#ifndef SYSCALLS_RING_OPERATION_H
#define SYSCALLS_RING_OPERATION_H

#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <stdbool.h>

#include "table/table.h"

struct operation {
	long number;
	uint8_t opcode;
	/**
	 * It takes something off a descriptor: a connection, or data at a position that others may move meanwhile (the kernel's operations don't take the lock that
	 * keeps two reads apart, f_pos_lock). One that is cancelled too late has taken that for a caller who may be gone.
	 */
	bool takes;
	const char *name; /* as <linux/io_uring.h> has it */
};

extern const struct operation operations[];
extern const unsigned operations_count;

/** The operation for a call; NULL: there is none that does the same. */
const struct operation *operation_of(const struct call *call);

/** Fills a zeroed entry. until: where a sleep's end is to be, which the kernel has read when it has been submitted; NULL for who has no sleeps. */
void operation_fill(const struct operation *operation, const struct call *call, struct io_uring_sqe *sqe, struct __kernel_timespec *until);

#endif
