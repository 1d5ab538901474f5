/*
 * tree.h - what the processes of a tree share: tree.c's and order.c's alone.
 */
#ifndef TREE_H
#define TREE_H

#include "schedule.h"

#define MEMBERS 512
#define NONE UINT32_MAX
#define RESERVED 0x80000000u        /* in a member's number: its parent's, as it forks */

enum { RUNS, WAITS };

struct member {
	uint32_t process; /* 0: none */
	uint16_t state;
	uint16_t helped;  /* kernel threads of its make calls for it, and may have to be woken */
	uint64_t next;    /* its first timer */
	uint64_t looks;
	uint64_t since;   /* real time of its reservation */
};

struct tree {
	uint64_t now;
	uint64_t watched;  /* until this real time somebody waits for others to have looked */
	uint64_t events;   /* how often a member has begun to run, or has ended */
	/* With a schedule (order.c). The last two are for whose turn it is. */
	uint32_t turn;     /* which member's it is, and how often that has changed, times MEMBERS; futex */
	uint32_t ending;   /* the turn whose process ends */
	uint32_t quiet;    /* how often one has had its turn since one had something to do last */
	uint32_t graced;   /* what comes from outside has been waited for since then */
	struct member members[MEMBERS];
};

extern struct tree *tree;

uint64_t tree_real_time(void);
char tree_state(uint32_t i);                       /* as ps has it, of its first thread; 0: there is none. 'R' while it has threads that have not ended */
bool tree_stands(uint32_t i);                      /* all of its threads wait, or have ended */
bool tree_helpers_stand(void);                     /* this process' */
bool tree_child_has_come(void);                    /* the last one that was forked has said so */
void tree_child_is_gone(void);                     /* it will not: its place is free */
void tree_ended(uint32_t i, uint32_t process);     /* that process is none of the tree's any more */

#endif
