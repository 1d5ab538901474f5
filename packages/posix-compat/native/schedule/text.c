/*
 * text.c - which instructions are the program's own: those of the executable's text; of a Go program, which has its runtime there too, those of package main, as its symbols say
 * (a stripped one has none: all of it); of Python the interpreter's, which may be in a library of its own. What is not own runs as a library does, and is not counted.
 *
 * Invariant: own text is whole pages, as it is closed and opened by pages (step.c).
 */
#include "schedule.h"

#include <elf.h>
#include <fcntl.h>

#define PAGE 4096ull
#define NAME_MAX_READ 8 /* bytes of a name that are looked at */
#define SYMBOLS 128     /* that are read at once */

#define MAPS_PIECE 4096

/** Of a library that is an interpreter, part of its path. */
#define PYTHON "/libpython"

struct file {
	int fd;
	Elf64_Ehdr header;
};

static bool read_at(const struct file *file, void *to, size_t size, uint64_t at)
{
	return kernel_call(SYS_pread64, file->fd, to, size, at) == (long)size;
}

static bool section(const struct file *file, unsigned i, Elf64_Shdr *to)
{
	return i < file->header.e_shnum && read_at(file, to, sizeof(*to), file->header.e_shoff + (uint64_t)i * sizeof(*to));
}

static bool find_section(const struct file *file, uint32_t type, Elf64_Shdr *to)
{
	for (unsigned i = 1; section(file, i, to); i++)
		if (to->sh_type == type)
			return true;
	return false;
}

/** Whether there is a section of this name: which the compiler writes whatever is stripped. */
static bool has_section(const struct file *file, const char *name)
{
	Elf64_Shdr names, it;
	char its[32];
	const size_t size = strlen(name) + 1;

	if (!section(file, file->header.e_shstrndx, &names) || size > sizeof(its))
		return false;
	for (unsigned i = 1; section(file, i, &it); i++)
		if (read_at(file, its, size, names.sh_offset + it.sh_name) && !memcmp(its, name, size))
			return true;
	return false;
}

static bool is_of_main(const struct file *file, const Elf64_Shdr *names, const Elf64_Sym *symbol)
{
	char name[NAME_MAX_READ] = {0};

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || !symbol->st_size)
		return false;
	return read_at(file, name, sizeof("main.") - 1, names->sh_offset + symbol->st_name) && !memcmp(name, "main.", sizeof("main.") - 1);
}

/** From the first function of package main to the last, which lie together. Whether there are any. */
static bool find_main(const struct file *file, uint64_t code[2])
{
	static Elf64_Sym symbols[SYMBOLS];
	Elf64_Shdr table, names;
	uint64_t left, at;

	if (!find_section(file, SHT_SYMTAB, &table) || !section(file, table.sh_link, &names))
		return false;
	code[0] = UINT64_MAX;
	code[1] = 0;
	left = table.sh_size / sizeof(*symbols);
	for (at = table.sh_offset; left;) {
		const unsigned n = left < SYMBOLS ? (unsigned)left : SYMBOLS;

		if (!read_at(file, symbols, n * sizeof(*symbols), at))
			return false;
		for (unsigned i = 0; i < n; i++) {
			if (!is_of_main(file, &names, &symbols[i]))
				continue;
			if (symbols[i].st_value < code[0])
				code[0] = symbols[i].st_value;
			if (symbols[i].st_value + symbols[i].st_size > code[1])
				code[1] = symbols[i].st_value + symbols[i].st_size;
		}
		left -= n;
		at += n * sizeof(*symbols);
	}
	return code[1];
}

static uint64_t hexadecimal(const char **text)
{
	uint64_t number = 0;

	for (char c; (c = **text), (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); (*text)++)
		number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	return number;
}

/** One of /proc/self/maps: whether it is code of that library. */
static bool is_python(const char *line, uint64_t own[2])
{
	const char *path = strchr(line, '/');
	uint64_t range[2];

	range[0] = hexadecimal(&line);
	line++;
	range[1] = hexadecimal(&line);
	while (path && strncmp(path, PYTHON, sizeof(PYTHON) - 1))
		path = strchr(path + 1, '/');
	if (!path || line[3] != 'x')
		return false;
	memcpy(own, range, sizeof(range));
	return true;
}

static bool find_python(uint64_t own[2])
{
	static char piece[2 * MAPS_PIECE];
	const int fd = (int)kernel_call(SYS_open, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	long have = 0, n;
	bool found = false;

	while (fd >= 0 && !found && (n = kernel_call(SYS_read, fd, piece + have, sizeof(piece) - 1 - (size_t)have)) > 0) {
		char *line = piece, *end;

		have += n;
		piece[have] = 0;
		for (; !found && (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			found = is_python(line, own);
		}
		have -= line - piece;
		memmove(piece, line, (size_t)have);
	}
	if (fd >= 0)
		kernel_call(SYS_close, fd);
	return found;
}

bool text_threads(uint64_t own[2])
{
	const char *name = strrchr(program_exe, '/');

	if (!name || strncmp(name, "/python", sizeof("/python") - 1))
		return false;
	find_python(own);
	return true;
}

void text_find(uint64_t own[2])
{
	struct file file = {.fd = (int)kernel_call(SYS_open, program_exe, O_RDONLY | O_CLOEXEC, 0)};
	uint64_t code[2];

	memcpy(own, program_code, sizeof(program_code));
	if (file.fd >= 0) {
		if (read_at(&file, &file.header, sizeof(file.header), 0) && has_section(&file, ".go.buildinfo") && find_main(&file, code)) {
			own[0] = code[0] + program_base;
			own[1] = code[1] + program_base;
		}
		kernel_call(SYS_close, file.fd);
	}
	own[0] &= ~(PAGE - 1);
	own[1] = (own[1] + PAGE - 1) & ~(PAGE - 1);
}
