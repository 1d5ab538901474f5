/*
 * binfmt.c - whether the kernel has an interpreter for a file that is neither an ELF program for this machine nor a script: binfmt_misc (the kernel's
 * Documentation/admin-guide/binfmt-misc.rst). The kernel runs that then, and not libcr; who runs it wants to know. Which rule it is does not matter.
 */
#include "program.h"

#include <fcntl.h>

#define RULES "/proc/sys/fs/binfmt_misc"
#define RULE_SIZE 2048 /* of a rule: what it is registered by has fewer characters, its text a few more */
#define MAGIC_MAX 128  /* bytes of a file that a rule may look at (BINPRM_BUF_SIZE is 256) */
#define HEAD 256

struct dirent64 {
	uint64_t inode, offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static long read_file(const char *path, char *to, size_t size)
{
	int fd = (int)kernel_call(SYS_open, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	long n;

	if (fd < 0)
		return fd;
	n = kernel_call(SYS_read, fd, to, size);
	kernel_call(SYS_close, fd);
	return n;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** A line's hexadecimal bytes. How many. */
static unsigned read_bytes(const char *text, uint8_t *to)
{
	unsigned n = 0;

	for (; n < MAGIC_MAX && digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2)
		to[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
	return n;
}

/** What follows `name` at a line's begin, or NULL. */
static const char *value(const char *rule, const char *name)
{
	for (const char *line = rule; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, strlen(name)))
			return line + strlen(name);
	}
	return NULL;
}

static bool has_magic(const char *rule, const char *magic_text, const uint8_t *head, size_t size)
{
	const char *offset_text = value(rule, "offset "), *mask_text = value(rule, "mask ");
	uint8_t magic[MAGIC_MAX], mask[MAGIC_MAX];
	unsigned n = read_bytes(magic_text, magic), offset = 0;

	memset(mask, 0xff, sizeof(mask));
	if (mask_text)
		read_bytes(mask_text, mask);
	for (; offset_text && *offset_text >= '0' && *offset_text <= '9' && offset < HEAD; offset_text++)
		offset = offset * 10 + (unsigned)(*offset_text - '0');
	if (!n || offset + n > size)
		return false;
	for (unsigned i = 0; i < n; i++)
		if ((head[offset + i] ^ magic[i]) & mask[i])
			return false;
	return true;
}

static bool has_extension(const char *extension, const char *path)
{
	const char *dot = strrchr(path, '.');
	size_t n = dot ? strlen(dot + 1) : 0;

	return n && !strncmp(extension, dot + 1, n) && extension[n] == '\n';
}

/** A rule's text says that it is for this file. */
static bool is_for(const char *rule, const char *path, const uint8_t *head, size_t size)
{
	const char *magic = value(rule, "magic "), *extension = value(rule, "extension .");

	if (strncmp(rule, "enabled\n", 8))
		return false;
	return magic ? has_magic(rule, magic, head, size) : extension && has_extension(extension, path);
}

bool binfmt_knows(const char *path)
{
	uint8_t head[HEAD];
	char status[16], name[512];
	static const char enabled[] = "enabled";
	long size = read_file(path, (char *)head, sizeof(head)), n;
	uint64_t entries[64];
	bool found = false;
	int folder;

	if (size < 0 || read_file(RULES "/status", status, sizeof(status)) < (long)strlen(enabled) || strncmp(status, enabled, strlen(enabled)))
		return false;
	folder = (int)kernel_call(SYS_open, RULES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return false;
	while (!found && (n = kernel_call(SYS_getdents64, folder, entries, sizeof(entries))) > 0)
		for (long at = 0; at < n && !found;) {
			const struct dirent64 *entry = (const struct dirent64 *)((const char *)entries + at);
			char rule[RULE_SIZE + 1];
			struct text text;
			long length;

			text_begin(&text, name, sizeof(name));
			text_add(&text, "%s/%s", RULES, entry->name);
			length = entry->name[0] == '.' ? -1 : read_file(name, rule, RULE_SIZE);
			rule[length > 0 ? length : 0] = 0;
			found = is_for(rule, path, head, (size_t)size);
			at += entry->size;
		}
	kernel_call(SYS_close, folder);
	return found;
}
