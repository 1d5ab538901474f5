/* length.c - how long what an argument points to is, and who writes it: by the table, and by what the call itself says. */
#define WITH_REQUEST_MEMORY
#include "stage.h"

#include <fcntl.h>

static int64_t bits(uint64_t count) { return count > MUCH ? MUCH : (int64_t)((count + 63) / 64 * 8); }

static int64_t word_at(uint64_t address)
{
	uint32_t value;

	return user_load32((const uint32_t *)address, &value) ? UNKNOWN : (int64_t)value;
}

/** As the table has it; UNKNOWN. */
static int64_t request_length(int64_t number, uint32_t request)
{
	for (unsigned i = 0; i < sizeof(request_memory) / sizeof(request_memory[0]); i++)
		if (request_memory[i].number == number && request_memory[i].request == request)
			return request_memory[i].size;
	return UNKNOWN;
}

/** As _IOC says it, where a request is made of that. Many older ones are not. */
static int64_t ioctl_length(uint32_t request) { return request >> 30 && (request >> 16 & 0x3fff) ? (int64_t)(request >> 16 & 0x3fff) : UNKNOWN; }

static int64_t fcntl_length(int command)
{
	switch (command) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW: return sizeof(struct flock);
	case F_GETOWN_EX:
	case F_SETOWN_EX:
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
	case F_GET_FILE_RW_HINT:
	case F_SET_FILE_RW_HINT: return 8;
	}
	return UNKNOWN;
}

static uint64_t argument_of(const struct sysmsg *msg, unsigned i) { return i < 6 ? msg->sm_args[i] : 0; }

int64_t argument_length(const struct call_memory *what, const struct sysmsg *msg, unsigned i)
{
	const struct argument_memory *m = &what->args[i];
	int64_t word;

	switch (m->by) {
	case BY_NEXT: return units(argument_of(msg, i + 1), m);
	case BY_BEFORE: return units(argument_of(msg, i - 1), m);
	case BY_UNIT: return m->unit;
	case BY_POINTER: return word_at(argument_of(msg, i + 1));
	case BY_BITS: return argument_of(msg, i + 1) ? bits(argument_of(msg, i + 1) - 1) : 0;
	case BY_DESCRIPTORS: return (int)argument_of(msg, 0) > 0 ? bits((uint64_t)(int)argument_of(msg, 0)) : 0;
	case BY_PAGES: return argument_of(msg, i - 1) > (1ull << 40) ? MUCH : (int64_t)((argument_of(msg, i - 1) + 4095) / 4096);
	case BY_SIZED: return word_at(argument_of(msg, i) + m->head) ?: UNKNOWN;
	case BY_HANDLE: word = word_at(argument_of(msg, i)); return word < 0 || word > 128 ? UNKNOWN : word + 8;
	case BY_ALL:
		word = request_length(msg->sm_number, (uint32_t)argument_of(msg, i - 1));
		if (word != UNKNOWN)
			return word;
		if (msg->sm_number == SYS_ioctl)
			return ioctl_length((uint32_t)argument_of(msg, 1));
		return msg->sm_number == SYS_fcntl ? fcntl_length((int)argument_of(msg, 1)) : UNKNOWN;
	}
	return UNKNOWN;
}

uint8_t argument_ways(const struct staging *s, unsigned i)
{
	const uint32_t request = (uint32_t)argument(s, 1);

	if (memory(s, i)->by != BY_ALL || s->given.sm_number != SYS_ioctl || !(request >> 30)) /* an older one does not say */
		return memory(s, i)->ways;
	return (uint8_t)((request >> 30 & 1 ? MEMORY_IN : 0) | (request >> 31 ? MEMORY_OUT : 0));
}
