/*
 * decoding.c - reads instructions as a disassembler sees them: a byte of length, a byte of what it is ('r' rip-relative, 'b' a branch, 'c' a call, 's' syscall, '.' other),
 * and the 15 bytes from its beginning on. Prints those that decode.c sees in another way, and how many there were.
 */
#include <stdio.h>

#include "../../../../syscalls/native/program/patch/decode.c"

static char kind_of(const struct instruction *in)
{
	switch (in->flow) {
	case FLOW_CONDITIONAL: case FLOW_JUMP: case FLOW_SHORT: case FLOW_INDIRECT: return 'b';
	case FLOW_CALL: return 'c';
	case FLOW_SYSTEM: return 's';
	}
	return in->rip_relative ? 'r' : '.';
}

int main(void)
{
	unsigned char record[17];
	long n = 0, wrong = 0;

	for (; fread(record, sizeof record, 1, stdin) == 1; n++) {
		struct instruction in;
		/* With no byte more than it has, and with all that follow. */
		int right = decode(record + 2, record[0], &in) && in.length == record[0] && decode(record + 2, 15, &in) && in.length == record[0] && kind_of(&in) == record[1] &&
		            !decode(record + 2, record[0] - 1, &in);

		if (right)
			continue;
		decode(record + 2, 15, &in);
		if (wrong++ < 20) {
			printf("%d %c:", record[0], record[1]);
			for (int i = 0; i < 15; i++)
				printf(" %02x", record[2 + i]);
			printf(" -> %d %c\n", in.length, kind_of(&in));
		}
	}
	printf("%ld wrong of %ld\n", wrong, n);
	return wrong != 0;
}
