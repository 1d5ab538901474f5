/*
 * rows.h - what shims of a supervisor have said in advance, so that a program's calls need not ask it: a part of the channel's memory (channel.h), behind the slots. A row is
 * one thing that is done at a call: a rule of the policy, a fault, a delay, a measurement. src/supervisor/rows/ writes them, rows.c does what they say.
 *
 * Each call has two lists of rows: `own`, for a call of the program's, and `below`, for one that a shim of the supervisor's has made by next(). Where own's bit ROWS_ASK is
 * set the supervisor is asked once own has been gone through; where it is not, the call is made then.
 *
 * Invariants:
 *  - Offsets are from the part's beginning; 0 is none. A list and what it points to is not changed once a call has it, but for what is said to be counted: by atomic
 *    operations, as all processes of the supervisor's do. The supervisor reads the same numbers, and counts there, too, where it is asked.
 *  - What rows can't tell (a path that is not plain) is asked before anything has been counted, and the supervisor answers then as if there were no rows: sl_rows is 0.
 */
#ifndef ROWS_H
#define ROWS_H

#include "channel.h"

#define ROWS_FLIGHTS 4096
#define ROWS_FREE 131072   /* where lists and rows may lie */
#define ROWS_LIST 64       /* rows of a list, at most */
#define ROWS_LEAVING 16    /* rows of a list that have something to do when the call is over */
#define ROWS_ERRORS 140    /* by errno; 0 counts those beyond. The kernel's ERESTART..., from ROWS_RESTART on, begin at ROWS_RESTARTS */
#define ROWS_RESTART 512
#define ROWS_RESTARTS 134

/* rh_calls: own | below << 32 */
#define ROWS_ASK 1 /* own's lowest bit */

/* rl_flags */
#define ROWS_PATHS 1 /* some row of the list looks at paths */

enum row_kind { ROW_IS_FAULT, ROW_IS_LATENCY, ROW_IS_POLICY, ROW_IS_METRICS };

/* ro_flags */
#define ROW_ALLOWS 1 /* of ROW_IS_POLICY: the shim has nothing more to say. It denies if not */
#define ROW_AFTER 2  /* of ROW_IS_LATENCY: the answer is late, not the call */
#define ROW_ALL_PATHS 4 /* it is about a call if all of its paths fit, not some */

/* in a glob: bytes, each itself but for these; behind the last one there is 0 */
#define GLOB_STAR 1  /* any bytes but a slash */
#define GLOB_NAMES 2 /* in place of a name: any number of names */
#define GLOB_ONE 3   /* a character but a slash, which is a byte in a path of ASCII; in others it is not known here what is one to JavaScript */

#ifndef __ASSEMBLER__
/** What a call's arguments are. */
struct row_about {
	int8_t ra_fd;        /* the argument that is its descriptor, or -1 */
	int8_t ra_size;      /* the argument that says how many bytes it moves, or -1 */
	uint8_t ra_npaths;
	uint8_t ra_unused;
	int8_t ra_paths[2];  /* arguments that are paths */
	int8_t ra_dirfds[2]; /* where they begin, or -1: the working directory */
};

struct row_list {
	uint32_t rl_flags;
	uint32_t rl_n;
	uint32_t rl_rows[]; /* offsets of struct row */
};

/** What all rows begin with. */
struct row {
	uint8_t ro_kind;
	uint8_t ro_flags;
	uint16_t ro_shim;  /* rows of one shim have the same number, and stand together */
	int32_t ro_fd;     /* it is about this descriptor; -1: any */
	uint32_t ro_globs; /* about these paths: how many there are, and offsets of globs; 0: it does not matter */
	uint32_t ro_uids;  /* of these effective user ids: how many there are, and they; 0: likewise */
};

struct row_fault {
	struct row fa_row;
	uint64_t fa_nth;     /* 0: any */
	uint64_t fa_after, fa_every, fa_times;
	uint64_t fa_chance;  /* of 2^32 */
	uint64_t fa_delay;   /* ns */
	uint32_t fa_errno;   /* 0: none */
	uint32_t fa_short;   /* bytes at most; 0: all */
	uint32_t fa_counts;  /* offset of struct row_counts */
	uint32_t fa_unused;
};

struct row_latency {
	struct row la_row;
	uint64_t la_least, la_more; /* ns; more: up to so many, at random */
	uint32_t la_counts;
	uint32_t la_unused;
};

struct row_policy {
	struct row po_row;
	uint32_t po_errno;
	uint32_t po_counts; /* rc_injected counts the denied */
};

/** Counted. */
struct row_counts {
	volatile uint64_t rc_matched;
	volatile uint64_t rc_injected;
	volatile uint32_t rc_random; /* the state of the shim's generator (random.ts) */
	uint32_t rc_unused;
};

struct row_metrics {
	struct row me_row;
	uint32_t me_bounds;  /* offset of ns, me_nbounds of them */
	uint32_t me_nbounds;
	uint32_t me_figures; /* offset of struct row_figures */
	uint32_t me_moves;   /* what it answers is a number of bytes */
};

/** Counted. */
struct row_figures {
	volatile uint64_t rf_ok, rf_bytes, rf_ns;
	volatile uint64_t rf_errors[ROWS_ERRORS];
	volatile uint64_t rf_took[]; /* by bound, not added up; the last is above all bounds */
};

/** A call that is measured, and under way. Whoever changes fl_process from 0 has it. */
struct row_flight {
	volatile uint32_t fl_process; /* sl_process */
	volatile uint32_t fl_row;     /* offset of its struct row_metrics; 0: it is being filled, or left */
	volatile uint64_t fl_began;   /* ns, as rh_cycle says; CLOCK_MONOTONIC's where it is 0 */
};

struct rows {
	volatile uint64_t rh_cycle; /* of the processor: ns, times 2^32. 0: its cycles are no clock */
	volatile uint64_t rh_since; /* the cycle that counts as 0 ns */
	volatile uint32_t rh_trace; /* offset of a path: the file that a trace goes to; 0: there is none. With a NUL */
	volatile uint32_t rh_trace_all; /* all calls are traced, and signals and ends told */
	volatile uint32_t rh_trace_refused; /* a program's: it can't write there, so the supervisor is to be asked */
	uint32_t rh_unused;
	volatile uint64_t rh_calls[CHANNEL_CALLS];
	struct row_about rh_about[CHANNEL_CALLS];
	struct row_flight rh_flights[ROWS_FLIGHTS];
};
#endif
#endif
