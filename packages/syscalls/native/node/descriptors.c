/* descriptors.c - see descriptors.h. */
#include <stdatomic.h>

#include "descriptors.h"

#define DESCRIPTORS 65536 /* higher ones are never known */

enum { UNKNOWN, STREAM, EMPTY, DIRECT, MISSED }; /* MISSED and more: as many reads are not tried in place */
#define NOT_TRIED 15

static _Atomic unsigned char descriptors[DESCRIPTORS];

static int state_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? atomic_load_explicit(&descriptors[fd], memory_order_relaxed) : UNKNOWN; }

static void set(int fd, int state)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		atomic_store_explicit(&descriptors[fd], (unsigned char)state, memory_order_relaxed);
}

void stream_found(int fd) { set(fd, STREAM); }

int stream_is_known(int fd)
{
	int state = state_of(fd);

	return state == STREAM || state == EMPTY;
}

void stream_read(int fd, long got, long asked)
{
	if (stream_is_known(fd))
		set(fd, got > 0 && got < asked ? EMPTY : STREAM);
}

int stream_is_empty(int fd)
{
	if (state_of(fd) != EMPTY)
		return 0;
	set(fd, STREAM);
	return 1;
}

void file_missed(int fd) { set(fd, MISSED + NOT_TRIED); }

int file_will_miss(int fd)
{
	int state = state_of(fd);

	if (state <= MISSED)
		return 0;
	set(fd, state - 1);
	return 1;
}

void direct_found(int fd) { set(fd, DIRECT); }

int direct_is_known(int fd) { return state_of(fd) == DIRECT; }

void descriptor_forget(unsigned first, unsigned last)
{
	for (unsigned fd = first; fd <= last && fd < DESCRIPTORS; fd++)
		if (state_of((int)fd) != UNKNOWN)
			set((int)fd, UNKNOWN);
}
