/*
 * patch.c - system calls that are made often come without a signal: the place where they are made becomes a jump to a trampoline (trampoline.c).
 *
 *   before:  b8 NUMBER      mov $NUMBER, %eax        e9 DISTANCE     jmp trampoline
 *            0f 05          syscall                  0f 05
 *   behind:  0f 05          syscall                  e9 DISTANCE     jmp trampoline
 *            3 or more      what is behind it        the rest of it
 *
 * Before the syscall is the better way: both have five bytes, and the syscall stays; who stands on it, or jumps to it, is caught as before. That
 * there is a mov is a guess, as instructions can't be read backwards: it is taken for right only if the number is the one that the call
 * was made with, and if no other instruction ends in these five bytes.
 *
 * Else it is the syscall itself. Reading on from one that is being done is no guess. But nobody may stand, or come to stand, in the bytes that are
 * replaced. So, first, from the first time that such a place is caught on its calls go on in the trampoline's tail, which does the same as the code
 * there; when it is patched nobody is on his way to it. And, second, it is only patched where it is certain that nothing jumps there (window.c).
 *
 * Where signal handlers return to, unwinders know by their tables or, where there are none, by its bytes: `mov $15, %rax; syscall`, as the kernel's interface has it. So
 * that is patched, before the syscall, only where it is in a table.
 *
 * All else stays as it is, and is caught each time.
 */
#include "patch.h"

#define SITES 4096u      /* places in the table of sites; a power of two */
#define PROBES 32u       /* of them that are looked at for one site */
#define OFTEN 8          /* times a site is caught before it is patched: by the mov, which costs less than a signal */
#define OFTEN_BEHIND 128 /* and by the syscall, which takes a look at all of the code: a millisecond for the C library */
#define LEFT 255         /* its count: not to be patched */
#define BEFORE 12        /* bytes before the syscall that are looked at */
#define RESTORER_MOV 7   /* bytes of `mov $15, %rax` */

uint64_t patch_count, patch_trapped;
static uint32_t lock;  /* of all that is below */
static unsigned holds; /* children of vfork */

static struct site {
	uint64_t at;
	uint64_t trampoline; /* it has the tail, and is read by anyone: 0, or set before `at` */
	uint8_t count;
} sites[SITES];

static void take_lock(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		kernel_call(SYS_sched_yield);
}

static void drop_lock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

void patch_hold(bool hold)
{
	take_lock();
	holds += hold ? 1 : -1u;
	drop_lock();
}

void patch_forked(void)
{
	lock = 0;
	holds = 0;
	window_forked();
}

static struct site *look_up(uint64_t at, bool free)
{
	unsigned i = (unsigned)(at * 0x9e3779b97f4a7c15ull >> 52);

	for (unsigned n = 0; n < PROBES; n++, i++) {
		struct site *site = &sites[i % SITES];
		uint64_t there = __atomic_load_n(&site->at, __ATOMIC_ACQUIRE);

		if (there == at || (free && !there))
			return site;
		if (!there)
			return NULL;
	}
	return NULL;
}

uint64_t patch_trampoline(uint64_t at)
{
	const struct site *site = look_up(at, false);

	return site ? __atomic_load_n(&site->trampoline, __ATOMIC_ACQUIRE) : 0;
}

/** Whether the byte at code[i] may begin an instruction that ends in four bytes of an immediate or a displacement, the last of code. */
static bool takes_in(const uint8_t *code, int i)
{
	switch (code[i]) {
	case 0x69: case 0x81: case 0xc7: case 0xf7: /* an immediate behind modrm, which has a displacement that ends in b8 */
	case 0xa0: case 0xa1: case 0xa2: case 0xa3: /* an address of eight bytes */
		return true;
	}
	return false;
}

/** Whether `mov $number, %eax` ends where the syscall begins. */
static bool is_mov(uint64_t at, uint32_t number)
{
	uint8_t code[BEFORE], *mov = code + BEFORE - JUMP_SIZE;
	uint32_t immediate;

	if (copyin(code, at - BEFORE, BEFORE))
		return false;
	memcpy(&immediate, mov + 1, 4);
	if (mov[0] != 0xb8 || immediate != number)
		return false;
	if ((mov[-1] & 0xf0) == 0x40 || mov[-1] == 0x66) /* another register, or another size */
		return false;
	if (mov[-1] == 0x8d || mov[-1] == 0x0f || mov[-1] == 0xf7) /* b8 as a modrm with a displacement of four bytes; or 0f b8 */
		return false;
	for (int i = 0; i < BEFORE - 6; i++)
		if (takes_in(code, i))
			return false;
	return true;
}

/** Whether `mov $15, %rax` is in front of this syscall, and all of it where handlers return to. */
static bool is_restorer(uint64_t at)
{
	static const uint8_t mov[RESTORER_MOV] = {0x48, 0xc7, 0xc0, SYS_rt_sigreturn};
	uint8_t code[RESTORER_MOV];

	return !copyin(code, at - RESTORER_MOV, RESTORER_MOV) && !memcmp(code, mov, RESTORER_MOV) && window_is_restorer(at - RESTORER_MOV, RESTORER_MOV + 2);
}

static bool patch_before(uint64_t at, uint32_t number)
{
	uint8_t mov = 0;
	uint64_t trampoline;

	if (number == SYS_rt_sigreturn)
		mov = is_restorer(at) ? RESTORER_MOV : 0;
	else if (is_mov(at, number))
		mov = JUMP_SIZE;
	trampoline = mov ? trampoline_before(at, number, mov) : 0;
	return trampoline && write_jump(at - mov, trampoline);
}

static bool patch_behind(const struct site *site)
{
	return window_is_free(site->at, trampoline_length(site->trampoline), trampoline_jump(site->trampoline)) && write_jump(site->at, site->trampoline);
}

/** A place that has not been seen, or has other code by now. */
static void begin_site(struct site *site, uint64_t at, uint64_t number)
{
	uint64_t trampoline = 0;

	site->count = 0;
	if (number != SYS_rt_sigreturn && !is_mov(at, (uint32_t)number)) {
		trampoline = trampoline_behind(at);
		site->count = trampoline ? 0 : LEFT;
	}
	__atomic_store_n(&site->trampoline, trampoline, __ATOMIC_RELEASE);
	__atomic_store_n(&site->at, at, __ATOMIC_RELEASE);
}

static void count_site(struct site *site, uint64_t number)
{
	if (site->count == LEFT || ++site->count < (site->trampoline ? OFTEN_BEHIND : OFTEN))
		return;
	if (holds) {
		site->count--;
		return;
	}
	if (site->trampoline ? patch_behind(site) : patch_before(site->at, (uint32_t)number)) {
		site->count = 0;
		patch_count++;
	} else {
		site->count = LEFT;
	}
}

uint64_t patch_caught(uint64_t at, uint64_t number)
{
	struct site *site;
	uint64_t behind = at + 2;

	patch_trapped++;
	if (options.no_patch || curproc()->p_vforked_by) /* who might be killed with the lock */
		return behind;
	take_lock();
	site = look_up(at, true);
	if (site) {
		if (site->at != at || (site->trampoline && !trampoline_fits(site->trampoline, at)))
			begin_site(site, at, number);
		count_site(site, number);
		if (site->trampoline)
			behind = site->trampoline + TAIL;
	}
	drop_lock();
	return behind;
}
