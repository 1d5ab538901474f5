/*
 * stepping.h - runs the switch one instruction at a time: each raises SIGTRAP, before it (aarch64) or after it (x86-64). Other code may do so,
 * too.
 *
 * x86-64: the processor's trap flag. A switch does not save it: it stays set in whoever runs next. aarch64 has none that user mode could set: each
 * instruction of the switch is a breakpoint, but for the one that is under way.
 */
#ifndef LWKT_TEST_STEPPING_H
#define LWKT_TEST_STEPPING_H

#include <sys/mman.h>
#include <sys/ucontext.h>

#include "check.h"
#include "cpu.h"

#if defined(__x86_64__)

#define TRAP_FLAG 0x100

static inline void stepping(bool on)
{
	unsigned long flags = __builtin_ia32_readeflags_u64();

	__builtin_ia32_writeeflags_u64(on ? flags | TRAP_FLAG : flags & ~(unsigned long)TRAP_FLAG);
}

/** To be called by the handler, first. Returns where the instruction that has been reached lies. */
static inline uintptr_t stepped(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

#elif defined(__aarch64__)

#define BREAKPOINT 0xd4200000u /* brk #0 */
#define STEPPING_MAX 256

static uint32_t stepping_kept[STEPPING_MAX]; /* what stands in the breakpoints' places */
static uint32_t *stepping_under_way;         /* NULL: none */

static inline uint32_t *stepping_code(void)
{
	return (uint32_t *)(uintptr_t)lwkt_arch_switch;
}

static inline void stepping_write(uint32_t *place, uint32_t instruction)
{
	*place = instruction;
	__builtin___clear_cache((char *)place, (char *)(place + 1));
}

static inline void stepping(bool on)
{
	uint32_t *code = stepping_code();
	size_t length = (size_t)((uint32_t *)(uintptr_t)lwkt_arch_start - code);

	CHECK(length > 0 && length <= STEPPING_MAX);
	if (!stepping_kept[0]) {
		uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)code & ~(page - 1);

		memcpy(stepping_kept, code, length * sizeof(*code));
		CHECK_EQ(mprotect((void *)begin, (uintptr_t)(code + length) - begin, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	}
	for (size_t i = 0; i < length; i++)
		stepping_write(&code[i], on ? BREAKPOINT : stepping_kept[i]);
	stepping_under_way = NULL;
}

static inline uintptr_t stepped(const ucontext_t *context)
{
	uint32_t *place = (uint32_t *)(uintptr_t)context->uc_mcontext.pc;

	if (stepping_under_way)
		stepping_write(stepping_under_way, BREAKPOINT);
	stepping_under_way = place;
	stepping_write(place, stepping_kept[place - stepping_code()]);
	return (uintptr_t)place;
}

#endif

#endif
