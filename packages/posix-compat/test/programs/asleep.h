/* asleep.h - until a thread waits in the kernel, as the kernel says it, or libcr of an lwp: for what is to be done to who waits, and not to who is about to. */
#ifndef ASLEEP_H
#define ASLEEP_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** One that has ended waits no more for anything. */
static void until_asleep(int tid)
{
	char path[64], text[256];
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	do {
		usleep(200);
		stat = fopen(path, "r");
		text[0] = 0;
		if (!stat || !fgets(text, sizeof(text), stat))
			strcpy(text, ") S");
		if (stat)
			fclose(stat);
	} while (strrchr(text, ')')[2] != 'S');
}

#endif
