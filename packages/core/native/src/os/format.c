/*
 * format.c - lwkt_os_format without a C library: what a debug build's lines about misuse are made with, and no more than that.
 */
#include <stdbool.h>

#include "os/os.h"

/** Where the text goes: what has no room is counted only. */
struct text {
	char *to;
	size_t size;
	size_t length;
};

static void put(struct text *text, char c)
{
	if (text->length + 1 < text->size)
		text->to[text->length] = c;
	text->length++;
}

static void put_string(struct text *text, const char *string)
{
	for (string = string ? string : "(null)"; *string; string++)
		put(text, *string);
}

static void put_number(struct text *text, unsigned long long number, unsigned base)
{
	char digits[24], *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
		*--first = "0123456789abcdef"[number % base];
	while (number /= base);
	put_string(text, first);
}

static void put_signed(struct text *text, long long number)
{
	if (number < 0)
		put(text, '-');
	put_number(text, number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number, 10);
}

size_t lwkt_os_format(char *to, size_t size, const char *format, va_list arguments)
{
	struct text text = {.to = to, .size = size};

	for (; *format; format++) {
		bool is_long = false;

		if (*format != '%') {
			put(&text, *format);
			continue;
		}
		for (format++; *format == 'z' || *format == 'l'; format++)
			is_long = true; /* 64 bits, all of them */
		switch (*format) {
		case 's':
			put_string(&text, va_arg(arguments, const char *));
			break;
		case 'd':
			put_signed(&text, is_long ? va_arg(arguments, long long) : va_arg(arguments, int));
			break;
		case 'p':
			put_string(&text, "0x");
			put_number(&text, (uintptr_t)va_arg(arguments, void *), 16);
			break;
		case 'u':
		case 'x':
			put_number(&text, is_long ? va_arg(arguments, unsigned long long) : va_arg(arguments, unsigned), *format == 'u' ? 10 : 16);
			break;
		default: /* %%, or what this does not know: as it stands */
			put(&text, *format);
			if (!*format)
				format--;
		}
	}
	if (size)
		to[text.length < size ? text.length : size - 1] = '\0';
	return text.length;
}
