/*
 * places.h - rows and paths, among the files of this room: what rows.c and places.c know of each other.
 */
#ifndef SCRIPT_PLACES_H
#define SCRIPT_PLACES_H

#include "script.h"

#include "rows.h"

#define PLACES 2
#define PLACE_SIZE 4096 /* PATH_MAX */

/** The paths of a call, as it is made with them. */
struct places {
	char given[PLACES][PLACE_SIZE];
};

/* rows.c */
/** What is at an offset: of some 64 KiB that are there in any case. */
const void *rows_at(uint32_t offset);
const struct row_about *rows_about(int64_t number);

/* places.c */
/**
 * Copies the paths of a call, which points to the copies from then on, and finds the rows of a list whose paths fit: a bit for each. False: they can't be told here; the
 * call is as it was then.
 */
bool places_find(struct places *places, struct sysmsg *call, const struct row_list *list, uint64_t *fitting);

#endif
