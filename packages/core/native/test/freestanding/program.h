/*
 * program.h - what a program without a C library needs to be one: where it begins, how it says what is wrong, and how it ends.
 *
 * Invariant: a failure is printed with its file and line, and the exit status is 1. A main that returns ends the program with what it returns.
 */
#ifndef FREESTANDING_PROGRAM_H
#define FREESTANDING_PROGRAM_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lwkt.h"
#include "os/os.h"
#include "syscall.h"

#define CHECK(expr) ((expr) ? (void)0 : fails(__FILE__, __LINE__, #expr))
#define CHECK_EQ(have, want) CHECK((long long)(have) == (long long)(want))

static inline void say(const char *text)
{
	lwkt_os_say(text, strnlen(text, 1000));
}

__attribute__((noreturn)) static inline void ends(int status)
{
	for (;;)
		lwkt_arch_syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

__attribute__((noreturn, cold)) static void fails(const char *file, int line, const char *what)
{
	char digits[12], *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
		*--first = (char)('0' + line % 10);
	while (line /= 10);
	say(file);
	say(":");
	say(first);
	say(": CHECK(");
	say(what);
	say(") failed\n");
	ends(1);
}

int main(void);

__attribute__((used)) static void begins(void)
{
	ends(main());
}

__asm__(".globl _start\n"
	"_start:\n\t"
	"xorl %ebp, %ebp\n\t"
	"andq $-16, %rsp\n\t"
	"call begins\n\t"
	"ud2\n");

#endif
