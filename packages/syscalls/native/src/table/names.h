/*
 * names.h - names of system calls and of errors, from the table.
 */
#ifndef SYSCALLS_NAMES_H
#define SYSCALLS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/** strcmp, which libcr without a C library does not have. */
static inline bool is_name(const char *name, const char *other)
{
	while (*name && *name == *other)
		name++, other++;
	return *name == *other;
}

/** A call's name, or NULL. */
const char *call_name(uint64_t number);
/** Of all, by number: for who looks from outside. */
extern const char *const *const call_name_table;
extern const unsigned call_name_count;
/** The call of a name, or -1. */
long call_number(const char *name);
/** Calls that stand for one another have the same number; 0: none does. */
unsigned call_family(uint64_t number);
bool call_stands_for(uint64_t number, uint64_t other);
/** What a call's result counts: bytes that have been read, or written. */
enum moves { MOVES_NONE, MOVES_READ, MOVES_WRITTEN };
enum moves call_moved(uint64_t number);
/** What can make a call for a program without its being seen: bits. */
enum { BY_IO_URING = 1, BY_IO_SUBMIT = 2 };
unsigned call_made_by(uint64_t number);
/** An error's name, "EPERM" for 1, or NULL; and what it means. */
const char *error_name(unsigned error);
const char *error_text(unsigned error);
/** The error of a name, or 0. */
unsigned error_number(const char *name);

#endif
