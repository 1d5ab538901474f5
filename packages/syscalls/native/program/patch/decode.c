/*
 * decode.c - the lengths of x86-64's instructions, from the opcode maps (Intel SDM 2, appendix A; AMD APM 3, appendix A), with VEX and EVEX. What is
 * unknown, invalid in 64-bit mode, or long by one vendor's manual and short by the other's (a branch with 66) is said to be no instruction.
 */
#include "decode.h"

#define X 0x80 /* no instruction, or one that is dealt with before the map is looked at */
#define M 0x08 /* modrm */
/* Low three bits: bytes of the immediate; these mean something else: */
#define Z 5    /* four, or two with 66 */
#define V 6    /* four; two with 66, eight with REX.W */
#define A 7    /* an address: eight, or four with 67 */

/* The one-byte map. */
static const uint8_t one[256] = {
	M, M, M, M, 1, Z, X, X, M, M, M, M, 1, Z, X, X, /* 00 */
	M, M, M, M, 1, Z, X, X, M, M, M, M, 1, Z, X, X, /* 10 */
	M, M, M, M, 1, Z, X, X, M, M, M, M, 1, Z, X, X, /* 20 */
	M, M, M, M, 1, Z, X, X, M, M, M, M, 1, Z, X, X, /* 30 */
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* 40 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 50 */
	X, X, X, M, X, X, X, X, Z, M | Z, 1, M | 1, 0, 0, 0, 0, /* 60 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 70 */
	M | 1, M | Z, X, M | 1, M, M, M, M, M, M, M, M, M, M, M, M, /* 80 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, 0, 0, 0, 0, 0, /* 90 */
	A, A, A, A, 0, 0, 0, 0, 1, Z, 0, 0, 0, 0, 0, 0, /* a0 */
	1, 1, 1, 1, 1, 1, 1, 1, V, V, V, V, V, V, V, V, /* b0 */
	M | 1, M | 1, 2, 0, X, X, M | 1, M | Z, 3, 0, 2, 0, 0, 1, X, 0, /* c0 */
	M, M, M, M, X, X, X, 0, M, M, M, M, M, M, M, M, /* d0 */
	1, 1, 1, 1, 1, 1, 1, 1, 4, 4, X, 1, 0, 0, 0, 0, /* e0 */
	X, 0, X, X, 0, 0, M, M, 0, 0, 0, 0, 0, 0, M, M, /* f0 */
};

/* The map behind 0f. */
static const uint8_t two[256] = {
	M, M, M, M, X, 0, 0, 0, 0, 0, X, 0, X, M, 0, M | 1, /* 00 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* 10 */
	X, X, X, X, X, X, X, X, M, M, M, M, M, M, M, M, /* 20 */
	0, 0, 0, 0, 0, 0, X, 0, X, X, X, X, X, X, X, X, /* 30 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* 40 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* 50 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* 60 */
	M | 1, M | 1, M | 1, M | 1, M, M, M, 0, X, X, X, X, M, M, M, M, /* 70 */
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* 80 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* 90 */
	0, 0, 0, M, M | 1, M, X, X, 0, 0, 0, M, M | 1, M, M, M, /* a0 */
	M, M, M, M, M, M, M, M, M, M, M | 1, M, M, M, M, M, /* b0 */
	M, M, M | 1, M, M | 1, M | 1, M | 1, M, 0, 0, 0, 0, 0, 0, 0, 0, /* c0 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* d0 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* e0 */
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* f0 */
};

struct prefixes {
	bool operand16, address32, wide, repeat;
};

/** Bytes of modrm, sib and displacement at code, of which `size` may be read; 0: not enough. */
static size_t modrm_size(const uint8_t *code, size_t size, bool *rip_relative)
{
	unsigned mod, rm;
	size_t n = 1;

	if (!size)
		return 0;
	mod = code[0] >> 6;
	rm = code[0] & 7;
	if (mod != 3 && rm == 4) {
		if (size < 2)
			return 0;
		n = 2;
		if (!mod && (code[1] & 7) == 5)
			n += 4;
	} else if (!mod && rm == 5) {
		*rip_relative = true;
		n += 4;
	}
	if (mod == 1)
		n += 1;
	if (mod == 2)
		n += 4;
	return n;
}

static size_t immediate_size(uint8_t attributes, const struct prefixes *p)
{
	switch (attributes & 7) {
	case Z: return p->operand16 && !p->wide ? 2 : 4;
	case V: return p->wide ? 8 : p->operand16 ? 2 : 4;
	case A: return p->address32 ? 4 : 8;
	}
	return attributes & 7;
}

/** Where a one-byte opcode goes on, as far as its modrm matters. */
static enum flow flow_of(uint8_t opcode, unsigned reg)
{
	switch (opcode) {
	case 0xeb: case 0xe9:
		return FLOW_JUMP;
	case 0xe0: case 0xe1: case 0xe2: case 0xe3:
		return FLOW_SHORT;
	case 0xe8:
		return FLOW_CALL;
	case 0xc2: case 0xc3:
		return FLOW_RETURN;
	case 0xca: case 0xcb: case 0xcc: case 0xcd: case 0xcf: case 0xf1: case 0xf4:
		return FLOW_OTHER;
	case 0xff:
		return reg == 2 ? FLOW_CALL : reg == 4 ? FLOW_INDIRECT : reg == 3 || reg == 5 ? FLOW_OTHER : FLOW_NEXT;
	}
	return opcode >> 4 == 7 ? FLOW_CONDITIONAL : FLOW_NEXT;
}

static enum flow flow_of_two(uint8_t opcode)
{
	switch (opcode) {
	case 0x05:
		return FLOW_SYSTEM;
	case 0x07: case 0x0b: case 0x34: case 0x35: case 0xaa: case 0xb9: case 0xff:
		return FLOW_OTHER;
	}
	return opcode >> 4 == 8 ? FLOW_CONDITIONAL : FLOW_NEXT;
}

/** What is behind a VEX or EVEX prefix of map `map`; at: of the opcode. */
static size_t vector_size(const uint8_t *code, size_t size, size_t at, unsigned map, bool *rip_relative)
{
	size_t n;

	if (at >= size || map < 1 || map > 6 || map == 4)
		return 0;
	if (map == 1 && code[at] == 0x77 && code[0] != 0x62) /* vzeroupper */
		return at + 1;
	n = modrm_size(code + at + 1, size - at - 1, rip_relative);
	if (!n)
		return 0;
	return at + 1 + n + (map == 3 || (map == 1 && (two[code[at]] & 7)));
}

static size_t prefixed_by_vex(const uint8_t *code, size_t size, bool *rip_relative)
{
	if (size < 3)
		return 0;
	switch (code[0]) {
	case 0xc5: return vector_size(code, size, 2, 1, rip_relative);
	case 0xc4: return vector_size(code, size, 3, code[1] & 31, rip_relative);
	}
	return vector_size(code, size, 4, code[1] & 7, rip_relative);
}

static void read_target(struct instruction *in, const uint8_t *end, size_t bytes)
{
	uint32_t displacement = 0;

	for (size_t i = 0; i < bytes; i++)
		displacement |= (uint32_t)end[(ptrdiff_t)i - (ptrdiff_t)bytes] << 8 * i;
	in->has_target = true;
	in->displacement = bytes == 1 ? (int8_t)displacement : (int32_t)displacement;
}

static bool is_legacy_prefix(uint8_t byte, struct prefixes *p)
{
	switch (byte) {
	case 0x66: p->operand16 = true; return true;
	case 0x67: p->address32 = true; return true;
	case 0xf2: case 0xf3: p->repeat = true; return true;
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0xf0: return true;
	}
	return false;
}

bool decode(const uint8_t *code, size_t size, struct instruction *in)
{
	struct prefixes p = {0};
	size_t at = 0, n;
	uint8_t attributes, opcode, reg;
	bool is_two = false, rex = false;

	*in = (struct instruction){0};
	if (size > INSTRUCTION_MAX)
		size = INSTRUCTION_MAX;
	while (at < size && is_legacy_prefix(code[at], &p))
		at++;
	if (at < size && (code[at] & 0xf0) == 0x40) { /* a prefix behind it makes it none; that is refused below */
		rex = true;
		p.wide = code[at++] & 8;
	}
	if (at >= size)
		return false;
	opcode = code[at];
	if (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62) {
		n = rex || p.operand16 || p.repeat ? 0 : prefixed_by_vex(code + at, size - at, &in->rip_relative);
		in->length = (uint8_t)(at + n);
		return n && at + n <= size;
	}
	attributes = one[opcode];
	if (opcode == 0x0f) {
		if (++at >= size)
			return false;
		opcode = code[at];
		is_two = true;
		attributes = two[opcode];
		if (opcode == 0x38 || opcode == 0x3a) {
			attributes = opcode == 0x38 ? M : M | 1;
			at++;
		} else if (opcode == 0x78 && !p.operand16 && !p.repeat) {
			attributes = M; /* vmread; with a prefix it is another one's, and longer */
		} else if (opcode == 0x79) {
			attributes = M;
		}
	}
	at++;
	if ((attributes & X) || at > size)
		return false;
	reg = at < size ? code[at] >> 3 & 7 : 0;
	if (!is_two && opcode == 0x8f && reg) /* XOP */
		return false;
	if (!is_two && (opcode == 0xf6 || opcode == 0xf7) && reg < 2)
		attributes |= opcode == 0xf6 ? 1 : Z;
	in->flow = is_two ? flow_of_two(opcode) : flow_of(opcode, reg);
	in->condition = opcode & 15;
	in->is_nop = (!is_two && opcode == 0x90 && !rex && !p.repeat) || (is_two && opcode == 0x1f);
	if (attributes & M) {
		n = modrm_size(code + at, size - at, &in->rip_relative);
		if (!n)
			return false;
		if (!is_two && opcode == 0xc7 && code[at] == 0xf8)
			in->flow = FLOW_SHORT;
		at += n;
	}
	n = immediate_size(attributes, &p);
	if (at + n > size)
		return false;
	at += n;
	in->length = (uint8_t)at;
	if (in->flow == FLOW_CONDITIONAL || in->flow == FLOW_JUMP || in->flow == FLOW_SHORT || (in->flow == FLOW_CALL && opcode == 0xe8)) {
		if (p.operand16 && !p.wide)
			return false;
		read_target(in, code + at, n);
	}
	return true;
}
