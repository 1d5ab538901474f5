/*
 * format.c - os/format.c writes what a C library's vsnprintf would; and, linked with a debug build, that a misuse is said on stderr.
 */
#include <stdarg.h>

#include "program.h"

static char text[64];

__attribute__((format(printf, 2, 3))) static size_t format(size_t size, const char *how, ...)
{
	va_list arguments;
	size_t length;

	memset(text, '#', sizeof(text));
	va_start(arguments, how);
	length = lwkt_os_format(text, size, how, arguments);
	va_end(arguments);
	return length;
}

static bool is(const char *wanted)
{
	size_t length = strnlen(wanted, sizeof(text));

	return memcmp(text, wanted, length + 1) == 0 && text[length + 1] == '#';
}

static void as_a_library_does(void)
{
	CHECK_EQ(format(60, "%s, %d and %u", "text", -7, 7u), 14);
	CHECK(is("text, -7 and 7"));
	CHECK_EQ(format(60, "%llu %zu 0x%x %p", ~0ull, (size_t)0, 0xabcu, (void *)0x1f), 33);
	CHECK(is("18446744073709551615 0 0xabc 0x1f"));
	CHECK_EQ(format(60, "%d %lld 100%%", -2147483647 - 1, -9223372036854775807ll - 1), 37);
	CHECK(is("-2147483648 -9223372036854775808 100%"));
	CHECK_EQ(format(5, "too %s", "long"), 8);
	CHECK(is("too "));
	CHECK_EQ(format(1, "%u", 12u), 2);
	CHECK(is(""));
	CHECK_EQ(format(0, "%u", 12u), 2);
	CHECK(text[0] == '#');
	CHECK_EQ(format(60, "%s", ""), 0);
	CHECK(is(""));
}

/* What comes out on stderr from here on is read by who has started this. */
static void misuse(void)
{
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_crit_exit(), EPERM);
	CHECK_EQ(lwkt_cpu_fini(), 0);
}

int main(void)
{
	as_a_library_does();
	misuse();
	return 0;
}
