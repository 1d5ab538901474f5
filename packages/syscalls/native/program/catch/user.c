/*
 * user.c - strings in the program's memory, which may not be there.
 */
#include "program.h"

#define PAGE 4096

long user_string(char *to, uint64_t from, size_t size)
{
	for (size_t n = 0; n < size;) {
		/* Never across the end of a page before what is there has been looked at: the next one may be missing. */
		size_t piece = PAGE - (from + n) % PAGE, left = size - n;

		if (piece > left)
			piece = left;
		if (copyin(to + n, from + n, piece))
			return -EFAULT;
		for (size_t i = n; i < n + piece; i++)
			if (!to[i])
				return (long)i;
		n += piece;
	}
	return -ENAMETOOLONG;
}
