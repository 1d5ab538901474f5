/*
 * decode.h - how long an instruction is, and whether it may stand elsewhere (x86-64). No dependency: its test compiles it by itself.
 */
#ifndef PATCH_DECODE_H
#define PATCH_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTRUCTION_MAX 15 /* bytes; longer ones are faults */

enum flow {
	FLOW_NEXT,        /* goes on behind it. It does the same anywhere, unless it is rip_relative */
	FLOW_CONDITIONAL, /* jcc: `condition`, and to `displacement` from its end */
	FLOW_JUMP,        /* jmp, direct */
	FLOW_SHORT,       /* loop, jrcxz, xbegin: direct, too, and not to be written in another way */
	FLOW_CALL,        /* direct or not */
	FLOW_INDIRECT,    /* jmp by a register or by memory */
	FLOW_RETURN,
	FLOW_SYSTEM,      /* syscall */
	FLOW_OTHER,       /* traps, far jumps, halts */
};

struct instruction {
	uint8_t length;
	uint8_t flow;         /* FLOW_ */
	uint8_t condition;    /* the low four bits of jcc's opcode */
	bool rip_relative;    /* its memory operand is so many bytes from its own address */
	bool is_nop;
	bool has_target;      /* displacement says where it goes; a direct call has one, too */
	int32_t displacement; /* from its end */
};

/** Decodes what is at code, of which `size` bytes may be read. False: not enough bytes, or no instruction that is known. */
bool decode(const uint8_t *code, size_t size, struct instruction *in);
#endif
