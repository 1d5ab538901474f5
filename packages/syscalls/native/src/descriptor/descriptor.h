/*
 * descriptor.h - what is known of descriptors (descriptor.c).
 */
#ifndef SYSCALLS_DESCRIPTOR_H
#define SYSCALLS_DESCRIPTOR_H

#include <stdbool.h>

#include "table/table.h"

#define DESCRIPTOR_ENDS 2         /* its reads and writes end by themselves: a file's, a directory's, those of /dev/null, zero and full */
#define DESCRIPTOR_SOCKET 4
#define DESCRIPTOR_NONBLOCKING 16 /* it was when that was asked last */
#define DESCRIPTOR_STREAM 32      /* a socket, and one of bytes: read is recv, and write is send. Said only where descriptors are remembered */

struct caller;

unsigned descriptor_look(int fd); /* DESCRIPTOR_ bits */
bool descriptor_is_nonblocking(int fd);
bool descriptor_is_timed(int fd); /* SO_RCVTIMEO, SO_SNDTIMEO */

/** Its number is about to mean something else, and nobody else makes calls meanwhile. */
void descriptor_forget(int fd);
void descriptors_forked(void);  /* in the child of a fork */

/** The calls that give a number another meaning, or a socket other times, up to -1; and what makes them in place of the kernel. */
extern const int descriptor_changes[];
long descriptor_change(struct caller *caller, const struct call *call);

#endif
