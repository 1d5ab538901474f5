/*
 * memory.c - the program's memory as strace shows it: strings, data, lists of them. What is not there is shown by its address.
 */
#include "trace.h"

#include <sys/uio.h>

#define PIECE 256

static void add_byte(struct text *text, unsigned char byte, unsigned char next)
{
	static const char escapes[] = "tnvfr";

	if (byte == '"' || byte == '\\')
		text_add(text, "\\%c", byte);
	else if (byte >= '\t' && byte <= '\r')
		text_add(text, "\\%c", escapes[byte - '\t']);
	else if (byte >= ' ' && byte < 127)
		text_char(text, (char)byte);
	else if (byte > 077 || (next >= '0' && next <= '7'))
		text_add(text, "\\%u%u%u", byte >> 6, byte >> 3 & 7, byte & 7);
	else if (byte > 7)
		text_add(text, "\\%u%u", byte >> 3, byte & 7);
	else
		text_add(text, "\\%u", byte);
}

static void add_hex(struct text *text, unsigned char byte, unsigned char next)
{
	(void)next;
	text_add(text, byte < 16 ? "\\x0%x" : "\\x%x", byte);
}

static void show_piece(struct text *text, uint64_t address, uint64_t n, uint64_t shown, void (*add)(struct text *, unsigned char, unsigned char))
{
	unsigned char bytes[DATA_SHOWN];

	if (shown > sizeof(bytes))
		shown = sizeof(bytes);
	if (shown > n)
		shown = n;
	if (copyin(bytes, address, shown)) {
		show_address(text, address);
		return;
	}
	text_char(text, '"');
	for (uint64_t i = 0; i < shown; i++)
		add(text, bytes[i], i + 1 < shown ? bytes[i + 1] : 0);
	text_add(text, n > shown ? "\"..." : "\"");
}

void show_bytes(struct text *text, uint64_t address, uint64_t n, uint64_t shown)
{
	show_piece(text, address, n, shown, add_byte);
}

void show_bytes_hex(struct text *text, uint64_t address, uint64_t n, uint64_t shown)
{
	show_piece(text, address, n, shown, add_hex);
}

/** The piece of a string at address: its length, up to `size`, with *ended where the NUL is among it; or -EFAULT. */
static long read_piece(char *to, uint64_t address, uint64_t size, bool *ended)
{
	long n = user_string(to, address, size);

	*ended = n >= 0;
	return n == -ENAMETOOLONG ? (long)size : n;
}

void show_string(struct text *text, uint64_t address, uint64_t shown)
{
	char piece[PIECE];
	bool ended = false;

	if (!address || user_string(piece, address, 1) == -EFAULT) {
		show_address(text, address);
		return;
	}
	text_char(text, '"');
	for (uint64_t done = 0; done < shown && !ended;) {
		uint64_t size = shown - done > PIECE ? PIECE : shown - done;
		long n = read_piece(piece, address + done, size, &ended);
		char next = 0;

		if (n < 0)
			break; /* it goes on where nothing is */
		if (!ended && copyin(&next, address + done + (uint64_t)n, 1))
			next = 0;
		ended = ended || !next;
		for (long i = 0; i < n; i++)
			add_byte(text, (unsigned char)piece[i], (unsigned char)(i + 1 < n ? piece[i + 1] : done + (uint64_t)n < shown ? next : 0));
		done += (uint64_t)n;
	}
	text_add(text, ended ? "\"" : "\"...");
}

void show_iov(struct text *text, uint64_t address, uint64_t n, uint64_t bytes)
{
	struct iovec iov;

	if (!address || (n && copyin(&iov, address, sizeof(iov)))) {
		show_address(text, address);
		return;
	}
	text_char(text, '[');
	for (uint64_t i = 0; i < n; i++) {
		uint64_t length;

		text_add(text, i ? ", " : "");
		if (i == DATA_SHOWN || copyin(&iov, address + i * sizeof(iov), sizeof(iov))) {
			text_add(text, "...");
			break;
		}
		length = iov.iov_len < bytes ? iov.iov_len : bytes;
		bytes -= length;
		text_add(text, "{iov_base=");
		show_bytes(text, (uint64_t)iov.iov_base, length, DATA_SHOWN);
		text_add(text, ", iov_len=%lu}", iov.iov_len);
	}
	text_char(text, ']');
}

void show_argv(struct text *text, uint64_t address)
{
	uint64_t word;

	if (!address || copyin(&word, address, 8)) {
		show_address(text, address);
		return;
	}
	text_char(text, '[');
	for (unsigned i = 0; !copyin(&word, address + 8 * i, 8) && word; i++) {
		text_add(text, i ? ", " : "");
		if (i == DATA_SHOWN) {
			text_add(text, "...");
			break;
		}
		show_string(text, word, DATA_SHOWN);
	}
	text_char(text, ']');
}
