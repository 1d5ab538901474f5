/*
 * copied.c - see copied.h. What pointers other than those of reads and writes point at is arguments.c's affair.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "copied.h"
#include "table/nowait.h"

#define ALIGNED 4096      /* what a file that is open with O_DIRECT may ask for */
#define ALIGNED_MIN 512   /* less is never read or written directly */

static int moves_data(const struct copied *copied) { return copied->row->block == BLOCK_READ || copied->row->block == BLOCK_WRITE; }

/** The data of a read or write: one piece, whatever it was before. */
static int copy_data(struct copied *copied, const struct marshalled *call)
{
	struct iovec one = {(void *)call->args[1], (size_t)call->args[2]};
	const struct iovec *iov = call_is_vector(call->number) ? (const struct iovec *)call->args[1] : &one;
	int n = call_is_vector(call->number) ? (int)call->args[2] : 1;
	const struct call whole = call_of(call->number, call->args);

	for (int i = 0; i < n; i++)
		copied->data += iov[i].iov_len;
	if (copied->data < ALIGNED_MIN)
		copied->block = malloc(copied->data ? copied->data : 1);
	else if (posix_memalign((void **)&copied->block, ALIGNED, copied->data) != 0)
		copied->block = NULL;
	if (copied->block == NULL)
		return -ENOMEM;
	if (copied->row->block == BLOCK_WRITE) {
		char *to = copied->block;
		for (int i = 0; i < n; i++) {
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
			to += iov[i].iov_len;
		}
	}
	copied->iov.iov_base = copied->block + copied->done;
	copied->iov.iov_len = copied->data - (size_t)copied->done;
	if (call_is_vector(call->number)) {
		copied->args[1] = (long)&copied->iov;
		copied->args[2] = 1;
	} else {
		copied->args[1] = (long)copied->iov.iov_base;
		copied->args[2] = (long)copied->iov.iov_len;
	}
	if (call_has_offset(&whole))
		copied->args[3] += copied->done;
	return 0;
}

int copied_init(struct copied *copied, const struct marshalled *call, long done)
{
	*copied = (struct copied){.row = call->row, .number = call->number, .done = done};
	memcpy(copied->args, call->args, sizeof copied->args);
	if (moves_data(copied))
		return copy_data(copied, call);
	return arguments_copy(copied->row, copied->number, copied->args, copied->sizes, &copied->block) == 0 ? 0 : -ENOMEM;
}

/** The data of a read. */
static int deliver_data(const struct copied *copied, size_t left, const struct marshalled *now)
{
	struct iovec one = {(void *)now->args[1], (size_t)now->args[2]};
	const struct iovec *iov = call_is_vector(now->number) ? (const struct iovec *)now->args[1] : &one;
	int n = call_is_vector(now->number) ? (int)now->args[2] : 1;
	size_t from = (size_t)copied->done, skip = from;

	for (int i = 0; i < n && left > 0; i++) {
		size_t room = iov[i].iov_len;
		if (skip >= room) {
			skip -= room;
			continue;
		}
		size_t part = room - skip < left ? room - skip : left;
		memcpy((char *)iov[i].iov_base + skip, copied->block + from, part);
		from += part;
		left -= part;
		skip = 0;
	}
	return left == 0 ? 0 : -1;
}

int copied_deliver(const struct copied *copied, long result, struct environment *environment, napi_value *values, size_t nvalues)
{
	struct marshalled now;
	int is_read = copied->row->block == BLOCK_READ;

	if (result < 0 || copied->row->block == BLOCK_WRITE || (is_read ? result == 0 : !arguments_have_output(copied->row, copied->sizes)))
		return 0;
	if (marshal(environment, (double)copied->number, values, nvalues, &now) != 0)
		return -1;
	if (is_read)
		return deliver_data(copied, (size_t)result, &now);
	arguments_deliver(copied->row, copied->number, copied->args, copied->sizes, now.args);
	return 0;
}

void copied_free(struct copied *copied)
{
	free(copied->block);
	copied->block = NULL;
}
