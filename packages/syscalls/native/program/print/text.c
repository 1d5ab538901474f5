/*
 * text.c - text without a C library (text.h). It takes no lock. (Memory's functions are core's: src/os/small.c.)
 */
#include "program.h"

size_t strlen(const char *s)
{
	const char *end = s;

	while (*(const volatile char *)end)
		end++;
	return (size_t)(end - s);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int c)
{
	char *last = NULL;

	for (char *found = strchr(s, c); found; found = c ? strchr(found + 1, c) : NULL)
		last = found;
	return last;
}

void text_begin(struct text *text, char *buffer, size_t size)
{
	text->at = buffer;
	text->end = buffer + size - 1;
	*buffer = 0;
}

void text_char(struct text *text, char c)
{
	if (text->at >= text->end)
		return;
	*text->at++ = c;
	*text->at = 0;
}

static void pad(struct text *text, int n)
{
	while (n-- > 0)
		text_char(text, ' ');
}

static void add_padded(struct text *text, const char *s, int length, int width, bool left)
{
	if (!left)
		pad(text, width - length);
	for (int i = 0; i < length; i++)
		text_char(text, s[i]);
	if (left)
		pad(text, width - length);
}

static void add_number(struct text *text, uint64_t value, bool negative, unsigned base, int width, bool left)
{
	char digits[24];
	int n = sizeof(digits);

	do
		digits[--n] = "0123456789abcdef"[value % base];
	while (value /= base);
	if (negative)
		digits[--n] = '-';
	add_padded(text, digits + n, (int)sizeof(digits) - n, width, left);
}

void text_add_list(struct text *text, const char *format, va_list list)
{
	for (; *format; format++) {
		bool left = false, is_long = false;
		int width = 0;

		if (*format != '%') {
			text_char(text, *format);
			continue;
		}
		for (format++; *format == '-'; format++)
			left = true;
		for (; *format >= '0' && *format <= '9'; format++)
			width = width * 10 + *format - '0';
		for (; *format == 'l' || *format == 'z'; format++)
			is_long = true;
		if (*format == 's') {
			const char *s = va_arg(list, const char *);

			add_padded(text, s, (int)strlen(s), width, left);
		} else if (*format == 'c') {
			text_char(text, (char)va_arg(list, int));
		} else if (*format == 'd') {
			long value = is_long ? va_arg(list, long) : va_arg(list, int);

			add_number(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, 10, width, left);
		} else if (*format == 'u' || *format == 'x') {
			uint64_t value = is_long ? va_arg(list, unsigned long) : va_arg(list, unsigned);

			add_number(text, value, false, *format == 'u' ? 10 : 16, width, left);
		} else {
			text_char(text, *format);
		}
	}
}

void text_add(struct text *text, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	text_add_list(text, format, list);
	va_end(list);
}

long print(int fd, const char *format, ...)
{
	char line[1024];
	struct text text;
	va_list list;

	text_begin(&text, line, sizeof(line));
	va_start(list, format);
	text_add_list(&text, format, list);
	va_end(list);
	return out_write(fd, line, (size_t)(text.at - line));
}
