/*
 * operation.c - which calls of JavaScript's the ring makes, and what their results mean. How they become entries: src/ring/operation.h.
 *
 * What takes something off a descriptor (struct operation's `takes`) does not go there: an operation that is cancelled too late would have taken a connection or data
 * for a caller that is gone. The ring waits instead (ring_poll), and the call is made in place; reads and writes at a file's own position are made by
 * helper threads. Reads of stream sockets are receive.c's affair. (docs/decisions/0009-ring.md)
 */
#include <errno.h>
#include <stdio.h>

#include "ring.h"

const struct operation *ring_knows(const struct ring *ring, const struct call *call)
{
	const struct operation *operation = operation_of(call);

	return operation != NULL && !operation->takes && ring->supported[operation->opcode] ? operation : NULL;
}

void ring_missing(const struct ring *ring, char *text, size_t size)
{
	size_t used = 0;

	for (unsigned i = 0; i < operations_count; i++) {
		const struct operation *one = &operations[i];
		if (one->takes || ring->supported[one->opcode] || (i > 0 && operations[i - 1].opcode == one->opcode) || used >= size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "", one->name);
	}
}

long ring_result(const struct ring_op *op)
{
	if (op->closed && op->result == -ECANCELED)
		return -EBADF;
	if (op->timed && op->result == -ECANCELED)
		return -ETIME;
	if (op->has_call && op->call.row->block == BLOCK_SLEEP && op->result == -ETIME)
		return 0;
	return op->result;
}
