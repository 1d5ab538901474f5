/*
 * load.c - maps an ELF file as execve does (fs/binfmt_elf.c): one range for all of its segments, then each into it.
 */
#include "program.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

#define PAGE 4096ull
#define SEGMENTS_MAX 64
#define PIE_BASE 0x555555554000ull /* where the kernel puts a program with an interpreter that can lie anywhere (ELF_ET_DYN_BASE) */
#define NO_RANDOMIZE 0x0040000     /* personality(2): ADDR_NO_RANDOMIZE */

static uint64_t page_of(uint64_t at) { return at & ~(PAGE - 1); }
static uint64_t page_up(uint64_t at) { return page_of(at + PAGE - 1); }

static long map(uint64_t at, uint64_t size, int prot, int flags, int fd, uint64_t offset)
{
	return kernel_call(SYS_mmap, at, size, prot, flags | MAP_PRIVATE, fd, offset);
}

static int protection(const Elf64_Phdr *ph)
{
	return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) | (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

/** Where a program with an interpreter shall lie: as far up from PIE_BASE as the kernel might put it. */
static uint64_t random_base(void)
{
	uint32_t pages = 0;

	if (!(kernel_call(SYS_personality, 0xffffffff) & NO_RANDOMIZE))
		kernel_call(SYS_getrandom, &pages, sizeof(pages), 0);
	return PIE_BASE + (pages >> 4) * PAGE; /* 28 bits */
}

/** A free range for addresses low to high of the file. Its distance from low in *base. */
static long reserve(const Elf64_Ehdr *header, bool has_interpreter, uint64_t low, uint64_t high, uint64_t align, uint64_t *base)
{
	uint64_t size = high - low;
	int flags = MAP_ANONYMOUS | MAP_NORESERVE;
	long at;

	if (header->e_type == ET_EXEC) {
		at = map(low, size, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
		*base = 0;
		if (at >= 0 && (uint64_t)at != low) { /* a kernel before 4.17 takes it for a hint */
			kernel_call(SYS_munmap, at, size);
			at = -EEXIST;
		}
		return at < 0 ? at : 0;
	}
	if (align < PAGE)
		align = PAGE;
	at = map(has_interpreter ? random_base() & ~(align - 1) : 0, size + align, PROT_NONE, flags, -1, 0);
	if (at < 0)
		return at;
	uint64_t begin = ((uint64_t)at + align - 1) & ~(align - 1), end = (uint64_t)at + size + align;
	if (begin > (uint64_t)at)
		kernel_call(SYS_munmap, at, begin - (uint64_t)at);
	if (end > begin + size)
		kernel_call(SYS_munmap, begin + size, end - begin - size);
	*base = begin - low;
	return 0;
}

static long map_segment(const Elf64_Phdr *ph, uint64_t base, int fd)
{
	uint64_t at = base + ph->p_vaddr, file_end = at + ph->p_filesz, end = at + ph->p_memsz, zero = page_up(file_end);
	int prot = protection(ph);
	long error = 0;

	if (ph->p_filesz)
		error = map(page_of(at), file_end - page_of(at), prot, MAP_FIXED, fd, ph->p_offset - at % PAGE);
	if (error < 0)
		return error;
	record_image(page_of(at), page_up(end) - page_of(at), prot, fd, ph->p_offset - at % PAGE, ph->p_filesz ? file_end - page_of(at) : 0);
	if (ph->p_filesz && end > file_end && (prot & PROT_WRITE)) /* all the rest of the page: ld.so allocates from it, and takes it for zero */
		memset((void *)file_end, 0, zero - file_end);
	if (!ph->p_filesz)
		zero = page_of(at);
	if (end > zero)
		error = map(zero, end - zero, prot, MAP_FIXED | MAP_ANONYMOUS, -1, 0);
	return error < 0 ? error : 0;
}

static void note_range(uint64_t range[2], uint64_t begin, uint64_t end)
{
	if (!range[1] || begin < range[0])
		range[0] = begin;
	if (end > range[1])
		range[1] = end;
}

static long load_open(int fd, struct image *image)
{
	Elf64_Ehdr header;
	Elf64_Phdr ph[SEGMENTS_MAX];
	uint64_t low = ~0ull, high = 0, align = PAGE;
	bool has_interpreter = false;
	long error;

	if (kernel_call(SYS_pread64, fd, &header, sizeof(header), 0) != sizeof(header) || header.e_phnum == 0 || header.e_phnum > SEGMENTS_MAX)
		return -ENOEXEC;
	if (kernel_call(SYS_pread64, fd, ph, sizeof(ph[0]) * header.e_phnum, header.e_phoff) != (long)(sizeof(ph[0]) * header.e_phnum))
		return -ENOEXEC;
	for (int i = 0; i < header.e_phnum; i++) {
		has_interpreter |= ph[i].p_type == PT_INTERP;
		if (ph[i].p_type == PT_GNU_STACK)
			image->executable_stack = (ph[i].p_flags & PF_X) != 0;
		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		if (ph[i].p_filesz > ph[i].p_memsz || ph[i].p_vaddr % PAGE != ph[i].p_offset % PAGE || ph[i].p_vaddr + ph[i].p_memsz < ph[i].p_vaddr)
			return -ENOEXEC;
		if (ph[i].p_vaddr < low)
			low = page_of(ph[i].p_vaddr);
		if (ph[i].p_vaddr + ph[i].p_memsz > high)
			high = page_up(ph[i].p_vaddr + ph[i].p_memsz);
		if (ph[i].p_align > align && !(ph[i].p_align & (ph[i].p_align - 1)))
			align = ph[i].p_align;
	}
	if (low >= high)
		return -ENOEXEC;
	error = reserve(&header, has_interpreter, low, high, align, &image->base);
	for (int i = 0; i < header.e_phnum && !error; i++) {
		uint64_t at = image->base + ph[i].p_vaddr;

		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		error = map_segment(&ph[i], image->base, fd);
		note_range(ph[i].p_flags & PF_X ? image->code : image->data, at, at + ph[i].p_filesz);
		if (header.e_phoff >= ph[i].p_offset && header.e_phoff < ph[i].p_offset + ph[i].p_filesz)
			image->phdr = at + (header.e_phoff - ph[i].p_offset);
	}
	image->entry = image->base + header.e_entry;
	image->phnum = header.e_phnum;
	return error;
}

long load_image(const char *path, struct image *image)
{
	int fd = (int)kernel_call(SYS_open, path, O_RDONLY | O_CLOEXEC);
	long error;

	if (fd < 0)
		return fd;
	*image = (struct image){0};
	error = load_open(fd, image);
	kernel_call(SYS_close, fd);
	return error;
}
