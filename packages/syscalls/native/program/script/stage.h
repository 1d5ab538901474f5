/*
 * stage.h - what a call's arguments point to, into a slot and back (channel.h says what lies where; memory.h, what each argument is): length.c how long it is, stage.c
 * into the slot before the call, give.c from there to the kernel, back.c what the kernel has written, and to the program.
 *
 * Into the slot goes what the kernel would read, before the call, and what it has written, after it. What of that goes to the kernel from the slot: whatever the
 * supervisor has changed; and paths, addresses and small structs in any case, so that what a shim has looked at is what the kernel gets. All else is at the
 * program's own addresses for the kernel, with nothing cut.
 *
 * The program's memory may not be there, or may change under way: it is touched by user_copy and its like alone. An argument that can't be read is a number to the
 * supervisor, and the kernel finds out. What the supervisor has written is looked at before it is used: a place outside of the slot is EFAULT.
 */
#ifndef SCRIPT_STAGE_H
#define SCRIPT_STAGE_H

#include "script.h"

#include "memory.h"

#include <sys/socket.h>

#define SMALL 4096       /* staged first; and, of what the kernel reads, given to it from the slot */
#define BUFFERS_MAX 1024 /* UIO_MAXIOV */
#define MESSAGES_MAX 64  /* of one call: of more, the first */
#define UNKNOWN -1       /* how long something is */
#define MUCH 0x7fffffff  /* longer than anything that there is room for */

/* How an argument was staged. */
#define STAGED_SHORT 1 /* there was no room for all of it */
#define STAGED_BOUND 2 /* it goes to the kernel from the slot */
#define STAGED_SLOT 4  /* and has, the last time */

/** How an argument was staged. */
struct staged {
	uint8_t kind; /* ARGUMENT_; NUMBER: it was not */
	uint8_t ways; /* MEMORY_ */
	uint8_t how;  /* STAGED_ */
	uint32_t length; /* bytes; of buffers and messages: how many parts */
};

/** A message's lengths and flags, as the supervisor was told last. */
struct told {
	uint32_t name, control, flags, length;
};

/** A message of the program's: what room it has. */
struct staged_message {
	uint32_t name_room, control_room;
	struct told told;
};

/** struct mmsghdr. */
struct messages_header {
	struct msghdr mh_header;
	uint32_t mh_length;
};

/** A call under way: on its lwp's kernel stack. */
struct staging {
	struct slot *slot;
	const struct call_memory *what; /* NULL: nobody knows of memory */
	struct sysmsg given;            /* the call as it came */
	uint32_t room;                  /* where the slot's free room begins */
	uint32_t header;                /* where in the slot the last call's msghdr was, or the first of several; 0: it was the program's */
	struct staged args[6];
	struct staged_message messages[MESSAGES_MAX]; /* as many as were staged */
};

static inline char *in_slot(const struct staging *s, uint32_t at) { return (char *)s->slot + at; }
static inline bool fits(uint64_t at, uint64_t length) { return at <= SLOT_SIZE && length <= SLOT_SIZE - at; }
static inline uint64_t argument(const struct staging *s, unsigned i) { return i < 6 ? s->given.sm_args[i] : 0; }
static inline const struct argument_memory *memory(const struct staging *s, unsigned i) { return &s->what->args[i]; }
static inline bool is_same_call(const struct staging *s) { return s->slot->sl_number == s->given.sm_number; }

/** The bytes of so many of what an argument has. */
static inline int64_t units(uint64_t count, const struct argument_memory *m)
{
	return count > MUCH / m->unit ? MUCH : (int64_t)(count * m->unit + m->head);
}

/** The parts of buffers, or of several messages; NULL: not there. */
static inline const struct slot_part *parts_at(const struct staging *s, const struct slot_argument *a)
{
	if (a->ar_data.pa_at % 8 || !fits(a->ar_data.pa_at, a->ar_parts * sizeof(struct slot_part)))
		return NULL;
	return (const struct slot_part *)in_slot(s, a->ar_data.pa_at);
}

/* length.c */
/** How long what an argument of a call points to is; UNKNOWN. */
int64_t argument_length(const struct call_memory *what, const struct sysmsg *msg, unsigned i);
/** MEMORY_: of a request, what that says. */
uint8_t argument_ways(const struct staging *s, unsigned i);

/* stage.c */
/** What the table has of a call's memory; NULL: there is none. */
const struct call_memory *memory_of(int64_t number);
/** Brings a call and what it points to into the slot. */
void stage_call(struct staging *staging, struct slot *slot, const struct sysmsg *msg);
/** An event that is no call; path: its argument, or NULL. */
void stage_event(struct slot *slot, const char *path);
/** Where a message is in the slot; NULL: not there. */
struct slot_message *message_at(const struct staging *s, struct slot_part data);

/* give.c */
/** The call that the supervisor wants to be made: 0, or -EFAULT. */
long stage_make(struct staging *staging, struct sysmsg *call);

/* back.c */
/** It has answered: what the kernel has written goes into the slot. */
void stage_return(struct staging *staging, const struct sysmsg *call, long result);
/** What is in the slot is the program's answer. Answers `result`, or -EFAULT. */
long stage_done(const struct staging *staging, long result);

#endif
