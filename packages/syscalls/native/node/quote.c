/*
 * quote.c - bytes as trace shows them: a C string's inside, printable ASCII as it is, the rest as escapes, in octal where there is no letter, as strace does.
 *
 * Not here: the quotes, and how many bytes are shown. Invariant: each byte is read once: the memory may be shared, and change meanwhile.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "syscalls.h"

enum { SHOWN_MAX = 4 };

struct shape {
	char text[SHOWN_MAX];
	unsigned length;
};

/** By byte; the second for one before a digit that an octal number would swallow: that has all of its digits then. */
static struct shape shapes[2][256];

static struct shape shape_of(unsigned byte, int is_whole)
{
	static const char named[] = "\t\n\v\f\r\"\\", letters[] = "tnvfr\"\\";
	const char *found = byte ? strchr(named, (int)byte) : NULL;
	struct shape shape = {.text = {'\\'}, .length = 1};

	if (found != NULL) {
		shape.text[shape.length++] = letters[found - named];
	} else if (byte >= ' ' && byte <= '~') {
		shape.text[0] = (char)byte;
	} else {
		for (int shift = 6; shift >= 0; shift -= 3)
			if (is_whole || shift == 0 || byte >> shift)
				shape.text[shape.length++] = (char)('0' + (byte >> shift & 7));
	}
	return shape;
}

__attribute__((constructor)) static void fill_shapes(void)
{
	for (unsigned byte = 0; byte < 256; byte++)
		for (int is_whole = 0; is_whole < 2; is_whole++)
			shapes[is_whole][byte] = shape_of(byte, is_whole);
}

/** Into room for four times as many, and a shape's room more. How many there are. */
static size_t fill(char *to, const volatile unsigned char *bytes, size_t length)
{
	char *at = to;
	unsigned next = length > 0 ? bytes[0] : 0;

	for (size_t i = 0; i < length; i++) {
		unsigned byte = next;

		next = i + 1 < length ? bytes[i + 1] : 0;
		const struct shape *shape = &shapes[(next & 0xf8) == '0'][byte];
		memcpy(at, shape->text, SHOWN_MAX);
		at += shape->length;
	}
	return (size_t)(at - to);
}

enum { PAGES = 1 << 16 };

/**
 * Room for the text of so many bytes, or NULL. Where it is much, in large pages, if there are some: to touch small ones for the first time takes longer than all the
 * rest.
 */
static char *make_room(size_t length)
{
	size_t size = length * SHOWN_MAX + SHOWN_MAX;
	char *room;

	if (length <= PAGES)
		return malloc(size);
	room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return NULL;
	madvise(room, size, MADV_HUGEPAGE);
	return room;
}

static void free_room(char *room, size_t length)
{
	if (length <= PAGES)
		free(room);
	else
		munmap(room, length * SHOWN_MAX + SHOWN_MAX);
}

/** quote(view, length): the text, or undefined where it is longer than a string can be. */
napi_value quote(napi_env env, napi_callback_info info)
{
	napi_value values[2], text = NULL;
	size_t count = 2, length;
	double wanted;
	char *bytes, *room;

	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || napi_get_value_double(env, values[1], &wanted) != napi_ok ||
	    buffer_of(env, values[0], &bytes, &length) != 0)
		return NULL;
	if (wanted < (double)length)
		length = (size_t)wanted;
	room = make_room(length);
	if (room == NULL)
		return NULL;
	if (napi_create_string_latin1(env, room, fill(room, (unsigned char *)bytes, length), &text) != napi_ok) {
		napi_value ignored;
		napi_get_and_clear_last_exception(env, &ignored);
		text = NULL;
	}
	free_room(room, length);
	return text;
}
