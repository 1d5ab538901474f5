/*
 * examine.c - what execve would find at a path: an ELF program and its interpreter, or a script and what its #! line names. Nothing is loaded here.
 */
#include "program.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#define HEAD 256 /* bytes of a #! line that the kernel reads (BINPRM_BUF_SIZE) */
#define SCRIPTS_MAX 5 /* scripts whose interpreters are scripts, as in the kernel */

static long read_at(int fd, void *to, size_t n, uint64_t offset)
{
	long got = kernel_call(SYS_pread64, fd, to, n, offset);

	return got < 0 ? got : got == (long)n ? 0 : -ENOEXEC;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/** Puts a word in front of the arguments. */
static bool prepend(struct executable *exe, const char *word, size_t length)
{
	char *at = exe->words + exe->used;

	if (exe->nprefix == PREFIX_MAX || length + 1 > sizeof(exe->words) - exe->used)
		return false;
	memmove(exe->prefix + 1, exe->prefix, exe->nprefix * sizeof(exe->prefix[0]));
	exe->nprefix++;
	exe->prefix[0] = at;
	memcpy(at, word, length);
	at[length] = 0;
	exe->used += length + 1;
	return true;
}

/** A #! line (fs/binfmt_script.c): the interpreter, and all the rest of the line as one argument. exe->path is the interpreter afterwards. */
static long read_script(struct executable *exe, const char *head, size_t n)
{
	const char *end = head, *name, *name_end;

	while (end < head + n && *end != '\n' && *end)
		end++;
	for (name = head + 2; name < end && is_blank(*name);)
		name++;
	for (name_end = name; name_end < end && !is_blank(*name_end);)
		name_end++;
	if (name == name_end || (name_end == head + HEAD)) /* nothing, or cut off in the middle of the name */
		return -ENOEXEC;
	while (end > name_end && (is_blank(end[-1])))
		end--;
	if (exe->nprefix == 0 && !prepend(exe, exe->path, strlen(exe->path)))
		return -ENOEXEC;
	for (const char *argument = name_end; argument < end; argument++)
		if (!is_blank(*argument)) {
			if (!prepend(exe, argument, (size_t)(end - argument)))
				return -ENOEXEC;
			break;
		}
	if (!prepend(exe, name, (size_t)(name_end - name)))
		return -ENOEXEC;
	memcpy(exe->path, exe->prefix[0], (size_t)(name_end - name) + 1);
	return 0;
}

static long read_elf(struct executable *exe, int fd, const Elf64_Ehdr *header)
{
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64) {
		exe->refusal = "is a program for another machine than x86-64";
		return 0;
	}
	if ((header->e_type != ET_EXEC && header->e_type != ET_DYN) || header->e_phentsize != sizeof(Elf64_Phdr))
		return -ENOEXEC;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr ph;
		long error = read_at(fd, &ph, sizeof(ph), header->e_phoff + i * sizeof(ph));

		if (error)
			return error;
		if (ph.p_type != PT_INTERP)
			continue;
		if (ph.p_filesz < 2 || ph.p_filesz > sizeof(exe->interpreter))
			return -ENOEXEC;
		error = read_at(fd, exe->interpreter, ph.p_filesz, ph.p_offset);
		if (error || exe->interpreter[ph.p_filesz - 1])
			return -ENOEXEC;
		return kernel_call(SYS_access, exe->interpreter, 1 /* X_OK */);
	}
	return 0;
}

static long examine_open(struct executable *exe, int fd)
{
	union {
		Elf64_Ehdr elf;
		char text[HEAD];
	} head = {0};
	struct stat about;
	long n;

	if (kernel_call(SYS_fstat, fd, &about) || !S_ISREG(about.st_mode))
		return -EACCES;
	if (exe->nprefix == 0 && (about.st_mode & S_ISUID || (about.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)))
		exe->refusal = "runs with its owner's rights (set-user-ID or set-group-ID)";
	n = kernel_call(SYS_pread64, fd, &head, sizeof(head), 0);
	if (n < 0)
		return n;
	if (head.text[0] == '#' && head.text[1] == '!')
		return read_script(exe, head.text, (size_t)n) ?: 1;
	if (n < (long)sizeof(head.elf) || memcmp(head.elf.e_ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	return read_elf(exe, fd, &head.elf);
}

long examine(const char *path, struct executable *exe)
{
	size_t length = strlen(path);
	long result = 1;

	exe->used = exe->nprefix = 0;
	exe->refusal = NULL;
	exe->interpreter[0] = 0;
	if (length >= sizeof(exe->path))
		return -ENAMETOOLONG;
	memcpy(exe->path, path, length + 1);
	for (int i = 0; i <= SCRIPTS_MAX && result == 1; i++) {
		int fd;

		result = kernel_call(SYS_faccessat2, AT_FDCWD, exe->path, 1 /* X_OK */, AT_EACCESS);
		if (result == -ENOSYS)
			result = kernel_call(SYS_access, exe->path, 1);
		if (result)
			return result;
		fd = (int)kernel_call(SYS_open, exe->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd == -EACCES)
			exe->refusal = "can be run but not read";
		if (fd < 0)
			return fd == -EACCES ? 0 : fd;
		result = examine_open(exe, fd);
		kernel_call(SYS_close, fd);
	}
	if ((result == -ENOEXEC || exe->refusal) && binfmt_knows(exe->path)) {
		exe->refusal = "is for a program that the kernel starts for it (binfmt_misc)";
		return 0;
	}
	return result == 1 ? -ELOOP : result;
}

long find_program(const char *name, const char *path, char *to, size_t size)
{
	size_t length = strlen(name);
	long error = -ENOENT;

	if (strchr(name, '/') || !length) {
		if (length >= size)
			return -ENAMETOOLONG;
		memcpy(to, name, length + 1);
		return length ? 0 : -ENOENT;
	}
	for (const char *next = path ? path : "/bin:/usr/bin"; next;) {
		const char *end = strchr(next, ':');
		size_t n = end ? (size_t)(end - next) : strlen(next);
		struct stat about;

		if (n + length + 3 <= size) {
			struct text text;

			text_begin(&text, to, size);
			for (size_t i = 0; i < n; i++)
				text_char(&text, next[i]);
			text_add(&text, "%s%s", n ? "/" : "./", name);
			if (!kernel_call(SYS_stat, to, &about) && S_ISREG(about.st_mode)) {
				if (!kernel_call(SYS_access, to, 1))
					return 0;
				error = -EACCES;
			}
		}
		next = end ? end + 1 : NULL;
	}
	return error;
}
