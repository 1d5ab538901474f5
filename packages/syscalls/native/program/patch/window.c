/*
 * window.c - whether a jump may stand in place of a syscall and the instructions behind it: whether nothing in the program goes into the middle of its
 * bytes. It has to be certain, or the place is left alone. What is asked for:
 *
 *  - The code is a file's, mapped, and its unwinding table (.eh_frame_hdr; Linux Standard Base, Core, 10.6) says what function the place is in.
 *  - All of that function decodes, the place is one of its instructions, no branch of it goes into the window, and there is no jump by a table or a register.
 *  - Nowhere in the file's code are bytes that could be a branch there, wherever instructions begin: far ones anywhere, short ones around the function.
 *
 * Code of other files comes to a function by its symbol only.
 */
#include "patch.h"

#include "decode.h"

#include <elf.h>
#include <fcntl.h>

#define CODE_MAX (16ul << 20) /* of a file: what is more is not looked through */
#define SHORT 128u            /* how far a short branch goes */
#define ENCODING_TABLE 0x3b   /* of the header's table: four bytes, relative to the header */
#define ENCODING_COUNT 0x03
#define ENCODING_POINTER 0x1b /* four bytes, relative to themselves */

struct range {
	uint64_t begin, end;
};

struct module {
	uint64_t base;     /* where the file's first byte is */
	struct range code; /* mapped, and may be run */
	uint64_t header;   /* .eh_frame_hdr */
};

static struct {
	uint64_t at;
	unsigned size;
	uint8_t bytes[4096 + 16];
} chunk; /* of the program's code, under patch.c's lock; maps, before that */

/* ------------------------------------------------ whose code it is */

static uint64_t read_hex(const char **s)
{
	uint64_t value = 0;

	for (;; ++*s) {
		if (**s >= '0' && **s <= '9')
			value = value << 4 | (uint64_t)(**s - '0');
		else if (**s >= 'a' && **s <= 'f')
			value = value << 4 | (uint64_t)(**s - 'a' + 10);
		else
			return value;
	}
}

/** A line of /proc/self/maps: FROM-TO RIGHTS OFFSET DEVICE INODE. Whether it is about `at`. */
static bool read_mapping(const char *line, uint64_t at, struct module *module, uint64_t *file)
{
	struct range range;
	uint64_t offset, device, inode = 0;
	char executable;

	range.begin = read_hex(&line);
	line++;
	range.end = read_hex(&line);
	executable = line[3];
	line += 6;
	offset = read_hex(&line);
	line++;
	device = read_hex(&line) << 32;
	line++;
	device |= read_hex(&line) << 40;
	for (line++; *line >= '0' && *line <= '9'; line++)
		inode = inode * 10 + (uint64_t)(*line - '0');
	if (!offset || (inode ^ device) != *file) {
		module->base = offset || !inode ? 0 : range.begin;
		*file = inode ^ device;
	}
	if (at - range.begin >= range.end - range.begin)
		return false;
	if (executable != 'x')
		module->base = 0;
	module->code = range;
	return true;
}

static int maps = -1;

void window_forked(void)
{
	maps = -1;
}

static bool find_mapping(uint64_t at, struct module *module)
{
	int fd = patch_open(&maps, "/proc/self/maps", O_RDONLY);
	char line[128];
	unsigned length = 0;
	uint64_t file = 0, offset = 0;
	bool found = false;
	long n;

	if (fd < 0)
		return false;
	while (!found && (n = kernel_call(SYS_pread64, fd, chunk.bytes, 4096, offset)) > 0) {
		offset += (uint64_t)n;
		for (long i = 0; i < n && !found; i++) {
			char c = (char)chunk.bytes[i];

			if (c != '\n') {
				if (length < sizeof(line) - 1)
					line[length++] = c;
				continue;
			}
			line[length] = 0;
			length = 0;
			found = read_mapping(line, at, module, &file);
		}
	}
	patch_close(fd, maps);
	chunk.size = 0;
	return found && module->base;
}

/** What the file's own headers say: one range of code, which is mapped as a whole, and an unwinding table. */
static bool read_headers(struct module *module)
{
	Elf64_Ehdr file;
	Elf64_Phdr part;
	uint64_t bias = 0, header = 0;
	unsigned codes = 0;

	if (copyin(&file, module->base, sizeof(file)) || memcmp(file.e_ident, ELFMAG, SELFMAG) || file.e_phentsize != sizeof(part) || file.e_phnum > 64)
		return false;
	for (unsigned i = 0; i < file.e_phnum; i++) {
		if (copyin(&part, module->base + file.e_phoff + i * sizeof(part), sizeof(part)))
			return false;
		if (part.p_type == PT_LOAD && part.p_offset == 0)
			bias = module->base - part.p_vaddr;
		if (part.p_type == PT_GNU_EH_FRAME)
			header = part.p_vaddr;
		if (part.p_type != PT_LOAD || !(part.p_flags & PF_X))
			continue;
		if (codes++ || bias + part.p_vaddr < module->code.begin || bias + part.p_vaddr + part.p_filesz > module->code.end)
			return false;
	}
	module->header = header + bias;
	return header && codes == 1 && module->code.end - module->code.begin <= CODE_MAX;
}

/* ------------------------------------------------ which function it is in */

static bool skip_number(uint64_t *at)
{
	uint8_t byte;

	do
		if (copyin(&byte, (*at)++, 1))
			return false;
	while (byte & 0x80);
	return true;
}

/** Whether a CIE is of ordinary functions, or of signal frames, with addresses as gcc writes them. */
static bool is_of_kind(uint64_t cie, bool signal_frame)
{
	char names[8];
	uint8_t encoding = 0, version;
	uint64_t at = cie + 9;

	if (copyin(&version, cie + 8, 1) || (version != 1 && version != 3) || user_string(names, at, sizeof(names)) < 0 || names[0] != 'z')
		return false;
	at += strlen(names) + 1;
	if (!skip_number(&at) || !skip_number(&at) || !skip_number(&at) || !skip_number(&at)) /* alignments, register, size */
		return false;
	if ((strchr(names, 'S') != NULL) != signal_frame)
		return false;
	for (const char *name = names + 1; *name; name++) {
		if (*name == 'S') /* says nothing more */
			continue;
		if ((*name != 'R' && *name != 'P' && *name != 'L') || copyin(&encoding, at++, 1))
			return false;
		if (*name == 'R')
			return encoding == ENCODING_POINTER;
		if (*name == 'P' && (encoding & 15) != 11) /* four bytes, signed */
			return false;
		if (*name == 'P')
			at += 4;
	}
	return false;
}

static bool read_entry(const struct module *module, uint32_t i, int32_t entry[2])
{
	return !copyin(entry, module->header + 12 + 8ull * i, 8);
}

/** The function that has the place, and where the next one begins. */
static bool find_function(const struct module *module, uint64_t at, bool signal_frame, struct range *function, uint64_t *next)
{
	struct {
		uint8_t version, pointer, count, table;
		int32_t frames;
		uint32_t n;
	} header;
	struct {
		uint32_t length, cie;
		int32_t begin;
		uint32_t size;
	} fde;
	int32_t entry[2];
	uint64_t address;
	uint32_t low = 0, high;

	if (copyin(&header, module->header, sizeof(header)) || header.version != 1 || header.pointer != ENCODING_POINTER || header.count != ENCODING_COUNT ||
	    header.table != ENCODING_TABLE)
		return false;
	for (high = header.n; low < high;) { /* the first that begins behind the place */
		uint32_t middle = low + (high - low) / 2;

		if (!read_entry(module, middle, entry))
			return false;
		if (module->header + (uint64_t)(int64_t)entry[0] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	*next = module->code.end;
	if (low < header.n) {
		if (!read_entry(module, low, entry))
			return false;
		*next = module->header + (uint64_t)(int64_t)entry[0];
	}
	if (!low || !read_entry(module, low - 1, entry))
		return false;
	address = module->header + (uint64_t)(int64_t)entry[1];
	function->begin = module->header + (uint64_t)(int64_t)entry[0];
	if (copyin(&fde, address, sizeof(fde)) || fde.length < 16 || fde.length > (1u << 20) || !is_of_kind(address + 4 - fde.cie, signal_frame) ||
	    address + 8 + (uint64_t)(int64_t)fde.begin != function->begin)
		return false;
	function->end = function->begin + fde.size;
	return at < function->end && function->begin >= module->code.begin && function->end <= module->code.end;
}

/* ------------------------------------------------ what goes there */

/** Reads a piece of code as it was before anything of it was patched: what begins where is what the program's makers wrote. */
static bool read_code(uint64_t at, unsigned size)
{
	chunk.at = at;
	chunk.size = size;
	if (copyin(chunk.bytes, at, size)) {
		chunk.size = 0;
		return false;
	}
	trampolines_undo(chunk.bytes, at, size);
	return true;
}

/** The bytes at `at`, up to `end`: how many there are is in *size, 16 or all. NULL: they are not there. */
static const uint8_t *see(uint64_t at, uint64_t end, size_t *size)
{
	if ((at < chunk.at || at + 16 > chunk.at + chunk.size) && !read_code(at, end - at < sizeof(chunk.bytes) ? (unsigned)(end - at) : sizeof(chunk.bytes)))
		return NULL;
	*size = chunk.at + chunk.size - at;
	return chunk.bytes + (at - chunk.at);
}

/** Into the middle of the jump. */
static bool is_inside(uint64_t target, const struct range *jump)
{
	return target - (jump->begin + 1) < jump->end - (jump->begin + 1);
}

static bool function_is_clear(const struct range *function, const struct range *jump)
{
	bool met = false;
	struct instruction in;

	for (uint64_t place = function->begin; place < function->end; place += in.length) {
		size_t size;
		const uint8_t *code = see(place, function->end, &size);

		if (!code || !decode(code, size, &in))
			return false;
		if (place == jump->begin)
			met = in.flow == FLOW_SYSTEM;
		if (in.flow == FLOW_INDIRECT && !in.rip_relative)
			return false;
		if (in.has_target && is_inside(place + in.length + (uint64_t)(int64_t)in.displacement, jump))
			return false;
	}
	return met;
}

/** Whether what ends before code + 1 makes code a far branch's last byte of opcode. before: the byte in front, or -1. */
static bool is_far_branch(uint8_t opcode, int before)
{
	return opcode == 0xe8 || opcode == 0xe9 || ((opcode & 0xf0) == 0x80 && (before == 0x0f || before < 0)) || (opcode == 0xf8 && (before == 0xc7 || before < 0));
}

/** Far branches, at any byte of a range. */
static bool no_far_branch(uint64_t from, uint64_t to, const struct range *jump)
{
	while (from + JUMP_SIZE <= to) {
		unsigned size = to - from < 4096 ? (unsigned)(to - from) : 4096;
		uint64_t base = from + JUMP_SIZE;

		if (!read_code(from, size))
			return false;
		for (unsigned i = 0; i + JUMP_SIZE <= size; i++) {
			int32_t distance;

			__builtin_memcpy(&distance, chunk.bytes + i + 1, 4); /* no call: there is one for each byte of the code */
			if (__builtin_expect(is_inside(base + i + (uint64_t)(int64_t)distance, jump), 0) && is_far_branch(chunk.bytes[i], i ? chunk.bytes[i - 1] : -1))
				return false;
		}
		from += size - (JUMP_SIZE - 1);
	}
	return true;
}

/** Short ones, in a range that is not longer than they reach on both sides. */
static bool no_short_branch(uint64_t from, uint64_t to, const struct range *jump)
{
	if (to <= from)
		return true;
	if (!read_code(from, (unsigned)(to - from)))
		return false;
	for (unsigned i = 0; from + i + 2 <= to; i++) {
		uint8_t opcode = chunk.bytes[i];

		if ((opcode >> 4 == 7 || opcode == 0xeb || (opcode & 0xfc) == 0xe0) && is_inside(from + i + 2 + (uint64_t)(int64_t)(int8_t)chunk.bytes[i + 1], jump))
			return false;
	}
	return true;
}

static uint64_t at_least(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t at_most(uint64_t a, uint64_t b) { return a < b ? a : b; }

bool window_is_free(uint64_t at, size_t length, size_t size)
{
	const struct range jump = {at, at + size};
	struct module module = {0};
	struct range function;
	uint64_t next;

	if (!find_mapping(at, &module) || !read_headers(&module) || !find_function(&module, at, false, &function, &next))
		return false;
	if (at + length > function.end || (jump.end > function.end && jump.end > next))
		return false;
	return function_is_clear(&function, &jump) &&
	       no_short_branch(at_least(module.code.begin, at_most(function.begin, at - SHORT)), function.begin, &jump) &&
	       no_short_branch(function.end, at_most(module.code.end, at_least(function.end, jump.end + SHORT)), &jump) &&
	       no_far_branch(module.code.begin, function.begin, &jump) && no_far_branch(function.end, module.code.end, &jump);
}

/** Unwinders look one byte before: it begins there. */
bool window_is_restorer(uint64_t begin, size_t size)
{
	struct module module = {0};
	struct range function;
	uint64_t next;

	return find_mapping(begin, &module) && read_headers(&module) && find_function(&module, begin, true, &function, &next) && function.begin + 1 == begin &&
	       function.end == begin + size;
}
