/* names.c - see names.h. */
#include "table/names.h"

#include <stddef.h>

#include "table/generated/names.h"

#define ERRORS (sizeof(error_names) / sizeof(*error_names))

#define CALLS (sizeof(call_names) / sizeof(*call_names))

const char *const *const call_name_table = call_names;
const unsigned call_name_count = CALLS;

const char *call_name(uint64_t number)
{
	return number < CALLS ? call_names[number] : NULL;
}

long call_number(const char *name)
{
	for (unsigned number = 0; number < CALLS; number++)
		if (call_name(number) && is_name(call_name(number), name))
			return number;
	return -1;
}

unsigned call_family(uint64_t number)
{
	return number < sizeof(call_families) ? call_families[number] : 0;
}

bool call_stands_for(uint64_t number, uint64_t other)
{
	return number == other || (call_family(number) && call_family(number) == call_family(other));
}

enum moves call_moved(uint64_t number)
{
	return number < sizeof(call_moves) ? (enum moves)call_moves[number] : MOVES_NONE;
}

unsigned call_made_by(uint64_t number)
{
	return number < sizeof(call_asynchronous) ? call_asynchronous[number] : 0;
}

const char *error_name(unsigned error)
{
	return error < ERRORS ? error_names[error].name : NULL;
}

const char *error_text(unsigned error)
{
	return error < ERRORS ? error_names[error].text : NULL;
}

unsigned error_number(const char *name)
{
	for (unsigned i = 1; i < ERRORS; i++)
		if (error_names[i].name && is_name(error_names[i].name, name))
			return i;
	return 0;
}
