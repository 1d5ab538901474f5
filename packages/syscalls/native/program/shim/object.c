/*
 * object.c - loads a shared object as a shim: what a dynamic linker does (System V gABI, "Dynamic Linking"; x86-64 psABI, "Relocation"), for one object that
 * needs no other. Names that it does not define are looked up among libcr's helpers; that of a C library is refused by its name. Its needed libraries
 * (libc.so.6, which gcc names by itself) are not loaded.
 *
 * It is done before the program begins, on its only kernel thread.
 */
#define SHIM_INTERNAL
#include "shim.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

/** What its dynamic section says. */
struct dynamic {
	const Elf64_Sym *symbols;
	const char *strings;
	size_t nsymbols;
	const Elf64_Rela *rela, *plt;
	size_t nrela, nplt;
	const Elf64_Relr *relr;
	size_t nrelr;
	void (*init)(void);
	void (**inits)(void);
	size_t ninits;
	uint64_t relro, relro_size;
};

void shim_refuse(const struct shim_object *shim, const char *why, const char *what)
{
	print(2, "libcr: %s: %s%s\n", shim->path, why, what);
	for (;;)
		kernel_call(SYS_exit_group, 2);
}

/** The file's path without symbolic links; and whether it is a shared object at all. */
static void look_at_file(struct shim_object *shim, const char *path)
{
	int fd = (int)kernel_call(SYS_open, path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header;
	char link[32];
	struct text text;
	long n;

	text_begin(&text, shim->path, sizeof(shim->path));
	text_add(&text, "%s", path);
	if (fd < 0)
		shim_refuse(shim, "the shim can't be read: ", error_text((unsigned)-fd) ?: "");
	n = kernel_call(SYS_pread64, fd, &header, sizeof(header), 0);
	if (n != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
	    header.e_type != ET_DYN)
		shim_refuse(shim, "no shared object for this machine (gcc -shared -fPIC makes one)", "");
	text_begin(&text, link, sizeof(link));
	text_add(&text, "/proc/self/fd/%d", fd);
	n = kernel_call(SYS_readlink, link, shim->path, sizeof(shim->path) - 1);
	if (n > 0)
		shim->path[n] = 0;
	kernel_call(SYS_close, fd);
}

/** How many symbols there are: a GNU hash table has the last one's place in its chains only. */
static size_t count_symbols(const uint32_t *table)
{
	const uint32_t nbuckets = table[0], first = table[1], *buckets = table + 4 + 2 * table[2], *chain = buckets + nbuckets;
	uint32_t last = 0;

	for (uint32_t i = 0; i < nbuckets; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < first)
		return first; /* it defines none */
	while (!(chain[last - first] & 1))
		last++;
	return last + 1;
}

static void read_dynamic(const struct shim_object *shim, struct dynamic *dynamic)
{
	const Elf64_Phdr *ph = (const Elf64_Phdr *)shim->image.phdr;
	const uint64_t base = shim->image.base;
	const Elf64_Dyn *entry = NULL;

	for (uint64_t i = 0; ph && i < shim->image.phnum; i++) {
		if (ph[i].p_type == PT_TLS)
			shim_refuse(shim, "a shim can't have thread-local variables", "");
		if (ph[i].p_type == PT_DYNAMIC)
			entry = (const Elf64_Dyn *)(base + ph[i].p_vaddr);
		if (ph[i].p_type == PT_GNU_RELRO) {
			dynamic->relro = base + ph[i].p_vaddr;
			dynamic->relro_size = ph[i].p_memsz;
		}
	}
	for (; entry && entry->d_tag != DT_NULL; entry++) {
		const uint64_t value = entry->d_un.d_val;

		switch (entry->d_tag) {
		case DT_SYMTAB: dynamic->symbols = (const Elf64_Sym *)(base + value); break;
		case DT_STRTAB: dynamic->strings = (const char *)(base + value); break;
		case DT_HASH: dynamic->nsymbols = ((const uint32_t *)(base + value))[1]; break;
		case DT_GNU_HASH: dynamic->nsymbols = dynamic->nsymbols ?: count_symbols((const uint32_t *)(base + value)); break;
		case DT_RELA: dynamic->rela = (const Elf64_Rela *)(base + value); break;
		case DT_RELASZ: dynamic->nrela = value / sizeof(Elf64_Rela); break;
		case DT_JMPREL: dynamic->plt = (const Elf64_Rela *)(base + value); break;
		case DT_PLTRELSZ: dynamic->nplt = value / sizeof(Elf64_Rela); break;
		case DT_RELR: dynamic->relr = (const Elf64_Relr *)(base + value); break;
		case DT_RELRSZ: dynamic->nrelr = value / sizeof(Elf64_Relr); break;
		case DT_INIT: dynamic->init = (void (*)(void))(base + value); break;
		case DT_INIT_ARRAY: dynamic->inits = (void (**)(void))(base + value); break;
		case DT_INIT_ARRAYSZ: dynamic->ninits = value / 8; break;
		case DT_TEXTREL: shim_refuse(shim, "its code would have to be changed: compile it with -fPIC", "");
		case DT_FLAGS:
			if (value & DF_TEXTREL)
				shim_refuse(shim, "its code would have to be changed: compile it with -fPIC", "");
		}
	}
	if (!dynamic->symbols || !dynamic->strings)
		shim_refuse(shim, "no shared object: it has no table of symbols", "");
}

/** What it exports under a name, or NULL. */
static const void *exported(const struct shim_object *shim, const struct dynamic *dynamic, const char *name)
{
	for (size_t i = 1; i < dynamic->nsymbols; i++) {
		const Elf64_Sym *symbol = &dynamic->symbols[i];

		if (symbol->st_shndx != SHN_UNDEF && !strcmp(dynamic->strings + symbol->st_name, name))
			return (const void *)(shim->image.base + symbol->st_value);
	}
	return NULL;
}

static uint64_t symbol_value(const struct shim_object *shim, const struct dynamic *dynamic, uint64_t index)
{
	const Elf64_Sym *symbol = &dynamic->symbols[index];
	const char *name = dynamic->strings + symbol->st_name;
	const void *at;

	if (!index)
		return 0;
	if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
		shim_refuse(shim, "a shim can't have indirect functions: ", name);
	if (symbol->st_shndx != SHN_UNDEF)
		return symbol->st_shndx == SHN_ABS ? symbol->st_value : shim->image.base + symbol->st_value;
	at = shim_export(name);
	if (!at && ELF64_ST_BIND(symbol->st_info) != STB_WEAK) {
		if (!strncmp(name, "__stack_chk_", 12))
			shim_refuse(shim, "compile it with -fno-stack-protector: a shim has no C library, and needs one for ", name);
		shim_refuse(shim, "a shim has no C library (libcr_shim.h says what it has), and this one needs ", name);
	}
	return (uint64_t)at;
}

static void relocate(const struct shim_object *shim, const struct dynamic *dynamic, const Elf64_Rela *rela, size_t n)
{
	for (; n > 0; n--, rela++) {
		uint64_t *at = (uint64_t *)(shim->image.base + rela->r_offset);

		switch (ELF64_R_TYPE(rela->r_info)) {
		case R_X86_64_NONE: break;
		case R_X86_64_RELATIVE: *at = shim->image.base + (uint64_t)rela->r_addend; break;
		case R_X86_64_64: *at = symbol_value(shim, dynamic, ELF64_R_SYM(rela->r_info)) + (uint64_t)rela->r_addend; break;
		case R_X86_64_GLOB_DAT:
		case R_X86_64_JUMP_SLOT: *at = symbol_value(shim, dynamic, ELF64_R_SYM(rela->r_info)); break;
		case R_X86_64_DTPMOD64:
		case R_X86_64_DTPOFF64:
		case R_X86_64_TPOFF64:
		case R_X86_64_TLSDESC: shim_refuse(shim, "a shim can't have thread-local variables", "");
		case R_X86_64_IRELATIVE: shim_refuse(shim, "a shim can't have indirect functions", "");
		default: shim_refuse(shim, "it has a relocation that libcr does not know", "");
		}
	}
}

/** Relative ones, packed: an address, or 63 bits about the words behind the last one. */
static void relocate_packed(uint64_t base, const Elf64_Relr *relr, size_t n)
{
	uint64_t *at = NULL;

	for (; n > 0; n--, relr++) {
		if (!(*relr & 1)) {
			at = (uint64_t *)(base + *relr);
			*at++ += base;
			continue;
		}
		for (unsigned i = 0; i < 63; i++)
			if (*relr >> (i + 1) & 1)
				at[i] += base;
		at += 63;
	}
}

static void find_exports(struct shim_object *shim, const struct dynamic *dynamic)
{
	const unsigned *version = exported(shim, dynamic, "shim_version");

	shim->shim = (long (*)(struct sysmsg *, sysmsg_next))(uintptr_t)exported(shim, dynamic, "shim");
	if (!shim->shim)
		shim_refuse(shim, "it exports no function `shim`", "");
	if (!version)
		shim_refuse(shim, "it was compiled without libcr_shim.h", "");
	if (*version != SHIM_VERSION)
		shim_refuse(shim, "it was compiled with another version's libcr_shim.h", "");
	shim->on = exported(shim, dynamic, "shim_on");
	shim->begin = (void (*)(void))(uintptr_t)exported(shim, dynamic, "shim_begin");
	shim->forked = (void (*)(void))(uintptr_t)exported(shim, dynamic, "shim_forked");
	shim->end = (void (*)(int))(uintptr_t)exported(shim, dynamic, "shim_end");
	shim->uses_vectors = exported(shim, dynamic, "shim_vectors") != NULL;
}

void shim_object_load(struct shim_object *shim, const char *path)
{
	struct dynamic dynamic = {0};

	look_at_file(shim, path);
	if (load_image(shim->path, &shim->image))
		shim_refuse(shim, "the shim can't be loaded", "");
	read_dynamic(shim, &dynamic);
	relocate_packed(shim->image.base, dynamic.relr, dynamic.nrelr);
	relocate(shim, &dynamic, dynamic.rela, dynamic.nrela);
	relocate(shim, &dynamic, dynamic.plt, dynamic.nplt);
	if (dynamic.relro_size)
		kernel_call(SYS_mprotect, dynamic.relro & ~4095ull, ((dynamic.relro + dynamic.relro_size) & ~4095ull) - (dynamic.relro & ~4095ull), PROT_READ);
	find_exports(shim, &dynamic);
	if (dynamic.init)
		dynamic.init();
	for (size_t i = 0; i < dynamic.ninits; i++)
		dynamic.inits[i]();
}
