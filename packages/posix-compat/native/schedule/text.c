/*
 * text.c - which instructions are the program's own: those of the executable's text; of a Go program, which has its runtime there too, those of package main, as its symbols say
 * (a stripped one has none: all of it); of Python the interpreter's, which may be in a library of its own (libraries.c, which finds those that are named, too). What is not
 * own runs as a library does, and is not counted.
 *
 * Invariant: own text is whole pages, as it is closed and opened by pages (step.c).
 */
#include "schedule.h"

#include <elf.h>
#include <fcntl.h>

#define PAGE 4096ull
#define NAME_MAX_READ 8 /* bytes of a name that are looked at */
#define SYMBOLS 128     /* that are read at once */

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

bool text_threads(struct text_range *own)
{
	const char *name = strrchr(program_exe, '/');

	if (!name || strncmp(name, "/python", sizeof("/python") - 1))
		return false;
	libraries_python(own);
	return true;
}

void text_find(struct text_range *own)
{
	struct file file = {.fd = (int)kernel_call(SYS_open, program_exe, O_RDONLY | O_CLOEXEC, 0)};
	uint64_t code[2];

	*own = (struct text_range){program_code[0], program_code[1], program_base, ""};
	if (file.fd >= 0) {
		if (read_at(&file, &file.header, sizeof(file.header), 0) && has_section(&file, ".go.buildinfo") && find_main(&file, code)) {
			own->from = code[0] + program_base;
			own->to = code[1] + program_base;
		}
		kernel_call(SYS_close, file.fd);
	}
	own->from &= ~(PAGE - 1);
	own->to = (own->to + PAGE - 1) & ~(PAGE - 1);
}
