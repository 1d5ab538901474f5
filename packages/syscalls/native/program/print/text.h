/*
 * text.h - text without a C library, and lines for stderr.
 */
#ifndef PROGRAM_TEXT_H
#define PROGRAM_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/** A text under way; what does not fit is cut. */
struct text {
	char *at, *end;
};
void text_begin(struct text *text, char *buffer, size_t size);
void text_char(struct text *text, char c);
/** %s %c %d %u %x, with l or z; %-Nd and %Nd pad. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_list(struct text *text, const char *format, va_list list);

/** Writes all of it, for libcr itself: without a signal for the program. 0 or -errno. */
long out_write(int fd, const void *data, size_t n);
/** Bytes that a file may have (RLIMIT_FSIZE). */
uint64_t out_longest(void);
/** How long a memory is that has a descriptor, and what is at its beginning: without a signal, whatever limit of files the program has. 0 or -errno. */
long out_set_length(int fd, uint64_t length);
void out_put(int fd, const void *data, size_t n);
/** Says on stderr, once for all processes that have fd, that `what` can't be written. */
void out_failed(int fd, const char *what, long error);
/** The program has changed its limits. */
void out_limits_changed(void);

/** Writes a line to a descriptor, in one piece. 0 or -errno. */
long print(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif
