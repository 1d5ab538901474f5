/*
 * shim.h - native shims, among the files of this room.
 */
#ifndef PROGRAM_SHIM_H
#define PROGRAM_SHIM_H

#include "libcr_shim.h"
#include "program.h"

/** A shim: a shared object, and what it exports. Written before the program begins, and never after. */
struct shim_object {
	char path[4096]; /* without symbolic links: also for the processes that the program starts */
	struct image image;
	long (*shim)(struct sysmsg *msg, sysmsg_next next);
	const char *on; /* NULL: all calls */
	void (*begin)(void);
	void (*forked)(void);
	void (*end)(int status);
	bool uses_vectors;
};

extern char **shim_environment; /* until the program begins */
extern int shim_stderr;         /* what was 2 when it began: many programs close theirs before they end */

/* object.c */
void shim_object_load(struct shim_object *shim, const char *path);
/** It can't be used: says which, and why (two pieces of a sentence). Ends the process. */
void shim_refuse(const struct shim_object *shim, const char *why, const char *what) __attribute__((noreturn));

/* helpers.c: what libcr_shim.h declares. NULL: there is no such thing */
const void *shim_export(const char *name);
#endif
