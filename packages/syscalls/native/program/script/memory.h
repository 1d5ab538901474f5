/*
 * memory.h - what a call's arguments point to, by the table (generated/memory.h).
 */
#ifndef SCRIPT_MEMORY_H
#define SCRIPT_MEMORY_H

#include <stdint.h>

/* Who looks at it, and how much of it counts. */
#define MEMORY_IN 1    /* the kernel reads it */
#define MEMORY_OUT 2   /* the kernel writes it */
#define MEMORY_REPLY 4 /* as much as the reply says, and else all */
#define MEMORY_DATA 8  /* bytes that are nothing to the kernel itself */

struct argument_memory {
	uint8_t by; /* BY_: where its length is said */
	uint8_t ways;
	uint16_t unit, head;
};

struct call_memory {
	uint8_t n; /* arguments */
	struct argument_memory args[6];
};

/** How many bytes the argument behind a request, as ioctl has them, points to. */
struct request_memory {
	uint16_t number; /* of the call */
	uint16_t size;
	uint32_t request;
};

#include "generated/memory.h"

#endif
