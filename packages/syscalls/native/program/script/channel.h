/*
 * channel.h - the memory by which programs' system calls come to shims that run in another process, their supervisor (`lwkt run --shim x.ts -- PROGRAM`). The
 * launcher's side is in this room, the supervisor's is supervisor.c of the addon and src/supervisor/, which has all of this from table/generate.mjs.
 *
 * One memfd, mapped by the supervisor and by all processes that run under it: a head, and slots. A call takes a slot, stages what it is about there, and is
 * posted; the supervisor answers with a command in the same slot. Neither side copies out of the other's memory, and no descriptor is needed for an answer.
 *
 *   slot_state   who goes on                 what it means
 *   SLOT_FREE    any process                 to be taken: its word in ch_owners is 0, and whoever exchanges that for his pid has it
 *   SLOT_TAKEN   the lwp                     it is being filled
 *   SLOT_POSTED  the supervisor              sl_event is to be looked at. The lwp waits on this word, spinning for ch_spin turns if the supervisor was awake
 *   SLOT_ASLEEP  the supervisor              the same; the lwp sleeps (a shared futex): it is to be woken
 *   SLOT_ANSWER  the lwp                     sl_command is to be done
 *
 * The lwp goes from POSTED to ASLEEP by compare and exchange; the supervisor goes to ANSWER by exchange, and wakes if it was ASLEEP. To post, the lwp sets the slot's bit in
 * ch_pending, and then writes the doorbell (an eventfd that the supervisor polls) if an exchange of ch_asleep with 0 answers 1. The supervisor sets ch_asleep to 1 before it
 * looks a last time and sleeps.
 *
 * Invariants:
 *  - Whoever goes on, and nobody else, writes to a slot; but for sl_cancel, and for the sweep of slots whose process has ended.
 *  - A slot is the lwp's, who frees it when it has done COMMAND_PASS (before it makes the call) or COMMAND_DONE. The supervisor frees only what is left over: all other
 *    slots with its sl_process when a process says EVENT_BEGIN, and those of processes that have ended. It frees as an lwp does: sl_pid is 0, sl_state SLOT_FREE, then the
 *    owner, then ch_free counts and is woken if somebody is ch_waiting. A slot whose owner has ended is free, whatever else is in it: he may have been killed at any time.
 *  - What the supervisor writes is checked by the lwp as the kernel checks a program's: a wrong offset makes the call fail with EFAULT, and no more.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#ifndef __ASSEMBLER__
#include <stdint.h>
#endif

#define CHANNEL_MAGIC 0x3172636c /* "lcr1" */
#define CHANNEL_CALLS 512
#define CHANNEL_SLOTS 4096
#define CHANNEL_SLOTS_AT 32768
#define SLOT_SIZE 131072
#define SLOT_DATA 1024 /* where its data begins */
#define SLOT_ROOM (SLOT_SIZE - SLOT_DATA)
#define CHANNEL_ROWS_AT (CHANNEL_SLOTS_AT + (long)CHANNEL_SLOTS * SLOT_SIZE) /* rows.h */
#define CHANNEL_ROWS_SIZE 2097152 /* all of it is mapped by each program, which may lock its memory */
#define CHANNEL_SIZE (CHANNEL_ROWS_AT + CHANNEL_ROWS_SIZE)
#define CHANNEL_ARGUMENTS 6
#define CHANNEL_NAME_SIZE 16
#define CHANNEL_PARTS 8192 /* of all arguments of a call together: buffers of an iovec */

/* ch_wants: of a call, by number */
#define WANTS_CALL 1 /* some shim wants it */
#define WANTS_TRACE 4 /* it is to be traced (tracing.c) */
#define WANTS_ROWS 2 /* rows say what becomes of it (rows.h), and whether the supervisor is asked */

/* ch_gone: what a program does when its supervisor has ended */
#define GONE_KILL 0   /* it ends, by SIGKILL */
#define GONE_DETACH 1 /* it goes on without shims */

enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_POSTED, SLOT_ASLEEP, SLOT_ANSWER };

/* sl_event: what the supervisor is told */
enum slot_event {
	EVENT_CALL,    /* a call is about to be made */
	EVENT_RETURN,  /* what COMMAND_CALL has answered: sl_result; what the kernel has written is staged */
	EVENT_BEGIN,   /* a process runs a program now, after an execve or as the first: sl_data has its name, as argument 0. COMMAND_PASS */
	EVENT_FORKED,  /* a process has begun as another's child, sl_parent's: likewise. COMMAND_PASS */
};

/* sl_command: what the lwp does */
enum slot_command {
	COMMAND_PASS, /* make the call as it came, from the program's own memory, and say nothing of it; of EVENT_RETURN: what the call has answered is its answer; of an event that is no
	               * call: go on */
	COMMAND_DONE, /* the call is answered: sl_result, which may be one of the kernel's -ERESTART...; what is staged in arguments with ARGUMENT_OUT, and is other than what the program
	               * has there, goes to the program */
	COMMAND_CALL, /* make the call (sl_number, sl_args; from the slot, arguments with ARGUMENT_CHANGED and those whose bytes are other than the program's), stage what it has
	               * written, and post EVENT_RETURN. Of exit and exit_group: as COMMAND_PASS */
};

/* ar_kind: what an argument is */
enum argument_kind {
	ARGUMENT_NUMBER, /* sl_args has it; also a pointer to something that nobody stages */
	ARGUMENT_PATH,   /* bytes without their NUL */
	ARGUMENT_BUFFER, /* bytes */
	ARGUMENT_BUFFERS, /* an iovec: ar_parts parts, one after the other in struct slot_part, their bytes where those say */
	ARGUMENT_MESSAGE, /* a msghdr: see struct slot_message */
	ARGUMENT_NULL,   /* 0 for a pointer */
	ARGUMENT_MESSAGES, /* several mmsghdr: ar_parts parts as of ARGUMENT_BUFFERS, each of which is a struct slot_message with its parts */
};

/* ar_flags */
#define ARGUMENT_IN 1       /* the kernel reads it */
#define ARGUMENT_OUT 2      /* the kernel writes it */
#define ARGUMENT_CHANGED 4  /* by the supervisor, with a command: what ar_kind and ar_data say counts, and not the program's; cleared by the lwp. Behind a path there is a byte for its NUL */
#define ARGUMENT_SHORT 8    /* there was no room for all of it: the argument that counts it says how much there is, in sl_args; the program's own is in sl_given */

#ifndef __ASSEMBLER__
/** Bytes of a slot. */
struct slot_part {
	uint32_t pa_at;     /* from the slot's beginning, a multiple of 8 */
	uint32_t pa_length;
};

/** An argument. Its bytes, parts or message lie at ar_at. */
struct slot_argument {
	uint8_t ar_kind;
	uint8_t ar_flags;
	uint16_t ar_parts;  /* of ARGUMENT_BUFFERS and ARGUMENT_MESSAGES */
	struct slot_part ar_data;
};

/** A msghdr: its name, its control data, its buffers. What the program has given as lengths is in the parts; after a call, as far as it was written. */
struct slot_message {
	struct slot_part ms_name;
	struct slot_part ms_control;
	uint32_t ms_flags;
	uint32_t ms_parts;  /* struct slot_part, right behind this */
	uint32_t ms_length; /* of ARGUMENT_MESSAGES: how many bytes of data were moved */
	uint32_t ms_unused;
};

struct slot {
	volatile uint32_t sl_state;  /* enum slot_state; a futex word */
	volatile uint32_t sl_cancel; /* the lwp has a signal to take: it wants an answer soon, as -ERESTARTSYS. Set by the lwp, which rings */
	uint32_t sl_event;           /* the lwp's, as all that follows but for what is said */
	uint32_t sl_command;         /* the supervisor's */
	volatile int32_t sl_pid;     /* 0: the slot is nobody's yet; -1: his who is in another namespace of pids, and is not swept */
	int32_t sl_tid;              /* who makes the call, as the kernel of the supervisor's namespace has it, and as the program has it */
	int32_t sl_parent;           /* of EVENT_FORKED */
	int32_t sl_own_pid;          /* as the program has it */
	char sl_name[CHANNEL_NAME_SIZE]; /* of the lwp (PR_SET_NAME) */
	int64_t sl_number;           /* of the call. The supervisor's, with COMMAND_CALL */
	int64_t sl_args[CHANNEL_ARGUMENTS];          /* likewise */
	int64_t sl_given[CHANNEL_ARGUMENTS];         /* as the program gave them */
	int64_t sl_result;           /* of EVENT_RETURN, or of COMMAND_DONE */
	uint32_t sl_used;            /* bytes of the slot that are used; both */
	uint32_t sl_nargs;           /* arguments that follow: 6, or as many as the table has of the call */
	struct slot_argument sl_arguments[CHANNEL_ARGUMENTS];
	uint32_t sl_process;         /* a number of the process' own, which it keeps over execve; in any namespace */
	uint32_t sl_place;           /* the slot's own */
	uint32_t sl_rows;            /* of EVENT_CALL: the call has been through its rows, and a call that the supervisor makes goes through those below. 0: the shims decide it all */
};

struct channel {
	uint32_t ch_magic;
	volatile int32_t ch_supervisor; /* its pid; 0: it has ended, as somebody has noticed */
	volatile uint32_t ch_asleep;    /* the supervisor sleeps, and is to be rung */
	volatile uint32_t ch_gone;      /* GONE_; the supervisor's */
	volatile uint32_t ch_spin;      /* how many turns an lwp looks before it sleeps, where the supervisor is awake; the supervisor's */
	volatile uint32_t ch_free;      /* counts slots that were freed while somebody waited for one: a futex word; ch_waiting: how many wait */
	volatile uint32_t ch_waiting;
	volatile uint32_t ch_namespace; /* the inode of the supervisor's /proc/self/ns/pid: the pids of processes in another one say nothing to it. 0: it does not say */
	volatile uint8_t ch_wants[CHANNEL_CALLS];              /* the supervisor's */
	volatile int32_t ch_owners[CHANNEL_SLOTS];             /* by slot: 0; who has it, as sl_pid */
	volatile uint32_t ch_pending[CHANNEL_SLOTS / 32];      /* set by lwps, cleared by the supervisor */
	volatile uint32_t ch_processor; /* that the supervisor has run on when it answered last: an lwp there does not spin */
	volatile uint32_t ch_processes;                        /* the last sl_process that was given */
	volatile int32_t ch_life;      /* a descriptor of the supervisor's, which is a pipe's end to write to: when it is closed the supervisor has ended. -1: there is none */
	volatile uint32_t ch_life_inode;
};
#endif
#endif
