/*
 * trampoline.c - where the jumps go: code that does what it has replaced, with the call made by going to program_entry. In areas of their own, within
 * reach of the sites; the first slot of an area has the address of program_entry. A trampoline is never freed or changed: somebody may be in it.
 *
 *   before a syscall:   b8 NUMBER; 48 b9 BEHIND; ff 25 ENTRY    mov $NUMBER, %eax; movabs $BEHIND, %rcx; jmp *entry
 *   of one:             48 b9 TAIL; ff 25 ENTRY                 movabs $TAIL, %rcx; jmp *entry
 *   TAIL:               the instructions from behind it; jmp behind them
 *
 * Where a jump or a return behind the syscall is followed by other code there is no room for five bytes. Then only those that there are are written, and the trampoline
 * is put where the bytes that follow happen to say (E9Patch, Duck, Gao and Roychoudhury, PLDI 2020: instruction punning).
 *
 * A trampoline has no unwinding information. So signal handlers, which are what may unwind from there, are shown the place in the program's own code: patch_show. Going on at
 * that after the handler is going on in the trampoline: patch_resume.
 */
#include "patch.h"

#include "decode.h"

#include <sys/mman.h>

#define AREAS_MAX 64u
#define AREA_SIZE 16384u
#define STEP (1l << 20)
#define FAR (1l << 31)
#define STACK_MAX (1ul << 30) /* below the main stack nothing is put */

_Static_assert(sizeof(struct trampoline) <= TRAMPOLINE_SIZE, "a slot");

static struct {
	uint64_t base;
	unsigned used; /* slots */
} areas[AREAS_MAX];
static unsigned nareas;

/** Maps an area at this very address, if nothing is there. */
static bool map_area(uint64_t at)
{
	const uint64_t entry = (uint64_t)program_entry;
	long base = kernel_call(SYS_mmap, at, AREA_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (base < 0 && base > -4096)
		return false;
	if ((uint64_t)base != at || !write_code(at, &entry, sizeof(entry))) {
		kernel_call(SYS_munmap, base, AREA_SIZE);
		return false;
	}
	areas[nareas].base = at;
	areas[nareas].used = 1;
	__atomic_store_n(&nareas, nareas + 1, __ATOMIC_RELEASE);
	return true;
}

/** The area that has a free slot within reach, or -1. */
static int find_area(uint64_t site)
{
	uint64_t near = site & ~(uint64_t)(STEP - 1);

	for (unsigned i = 0; i < nareas; i++)
		if (areas[i].used < AREA_SIZE / TRAMPOLINE_SIZE && reaches(site, areas[i].base))
			return (int)i;
	if (nareas == AREAS_MAX)
		return -1;
	for (int64_t away = STEP; reaches(site, near + (uint64_t)away + STEP); away += STEP)
		if (map_area(near + (uint64_t)away) || (near > (uint64_t)away + STEP && map_area(near - (uint64_t)away)))
			return (int)nareas - 1;
	return -1;
}

/** The same, with its free slot from `low` to `high`, which are this near to each other as fixed bytes of a jump make them. */
static int find_area_between(uint64_t low, uint64_t high)
{
	for (unsigned i = 0; i < nareas; i++) {
		uint64_t slot = areas[i].base + areas[i].used * TRAMPOLINE_SIZE;

		if (areas[i].used < AREA_SIZE / TRAMPOLINE_SIZE && slot >= low && slot <= high)
			return (int)i;
	}
	if (nareas == AREAS_MAX || high < low || program_stack - low < STACK_MAX + high - low) /* where the main stack may grow */
		return -1;
	for (uint64_t at = (low + AREA_SIZE - 1) & ~(uint64_t)(AREA_SIZE - 1); at + TRAMPOLINE_SIZE <= high; at += AREA_SIZE * 16)
		if (map_area(at))
			return (int)nareas - 1;
	return -1;
}

/** Where the trampoline that is made next will be. */
static uint64_t next_slot(uint64_t site, int *area)
{
	*area = find_area(site);
	return *area < 0 ? 0 : areas[*area].base + areas[*area].used * TRAMPOLINE_SIZE;
}

/** The same for a jump of which only the first `size` bytes are written, and the others are what is there. */
static uint64_t next_slot_by(uint64_t site, const uint8_t *old, size_t size, int *area)
{
	uint32_t distance = 0;
	uint64_t low;

	for (size_t i = size; i < JUMP_SIZE; i++)
		distance |= (uint32_t)old[i] << 8 * (i - 1);
	low = site + JUMP_SIZE + (uint64_t)(int64_t)(int32_t)distance;
	*area = find_area_between(low, low + (1ull << 8 * (size - 1)) - 1);
	return *area < 0 ? 0 : areas[*area].base + areas[*area].used * TRAMPOLINE_SIZE;
}

static uint64_t take_slot(uint64_t slot, int area, const struct trampoline *t)
{
	if (!write_code(slot, t, sizeof(*t)))
		return 0;
	areas[area].used++;
	return slot;
}

/** movabs $behind, %rcx; jmp *entry: at code, which will be at `at`. */
static void put_call(uint8_t *code, uint64_t at, uint64_t behind)
{
	int32_t distance = (int32_t)((at & ~(uint64_t)(AREA_SIZE - 1)) - (at + 16));

	code[0] = 0x48;
	code[1] = 0xb9;
	memcpy(code + 2, &behind, 8);
	code[10] = 0xff;
	code[11] = 0x25;
	memcpy(code + 12, &distance, 4);
}

uint64_t trampoline_before(uint64_t at, uint32_t number, uint8_t mov)
{
	struct trampoline t = {.code = {0xb8}, .mov = mov};
	int area;
	uint64_t slot = next_slot(at, &area);

	if (!slot || copyin(t.old, at - mov, JUMP_SIZE))
		return 0;
	memcpy(t.code + 1, &number, 4);
	put_call(t.code + 5, slot + 5, at + 2);
	return take_slot(slot, area, &t);
}

/** A jump to `to`, on a condition or not, at code, which will be at `at`. Its size, or 0: it is too far. */
static size_t put_jump(uint8_t *code, uint64_t at, uint64_t to, const struct instruction *on)
{
	size_t size = on && on->flow == FLOW_CONDITIONAL ? 6 : 5;
	int64_t away = (int64_t)(to - (at + size));
	int32_t distance = (int32_t)away;

	if (away >= FAR || away < -FAR)
		return 0;
	if (size == 6)
		*code++ = 0x0f;
	*code++ = size == 6 ? (uint8_t)(0x80 | on->condition) : 0xe9;
	memcpy(code, &distance, 4);
	return size;
}

/** The instruction at old, which was at `from`, at code, which will be at `to`. Its size there, or 0: it can't be moved. */
static size_t move(uint8_t *code, uint64_t to, const uint8_t *old, uint64_t from, const struct instruction *in)
{
	switch (in->flow) {
	case FLOW_CONDITIONAL: case FLOW_JUMP:
		return put_jump(code, to, from + in->length + (uint64_t)(int64_t)in->displacement, in);
	case FLOW_NEXT: case FLOW_RETURN:
		if (in->rip_relative)
			return 0;
		memcpy(code, old, in->length);
		return in->length;
	}
	return 0;
}

/** Whether there are nothing but instructions that do nothing, or int3, up to the jump's end. */
static bool is_padding(const uint8_t *old, size_t from)
{
	struct instruction in;

	for (; from < JUMP_SIZE; from += in.length)
		if (!decode(old + from, sizeof(((struct trampoline *)0)->old) - from, &in) || !(in.is_nop || old[from] == 0xcc))
			return false;
	return true;
}

/** The tail: what has to go from behind the syscall, and back to what is behind that. Whether that can be, and t->size bytes of a jump stand there. */
static bool put_tail(struct trampoline *t, uint64_t slot)
{
	size_t from = 2, to = TAIL;
	struct instruction in = {.flow = FLOW_NEXT};

	t->from[0] = 2;
	t->to[0] = TAIL;
	t->nplaces = 1;
	while (from < JUMP_SIZE && in.flow != FLOW_JUMP && in.flow != FLOW_RETURN) {
		size_t size;

		if (!decode(t->old + from, sizeof(t->old) - from, &in))
			return false;
		size = move(t->code + to, slot + to, t->old + from, t->site + from, &in);
		if (!size)
			return false;
		from += in.length;
		to += size;
		t->from[t->nplaces] = (uint8_t)from;
		t->to[t->nplaces++] = (uint8_t)to;
	}
	t->size = JUMP_SIZE;
	if (in.flow == FLOW_JUMP || in.flow == FLOW_RETURN) {
		if (from < JUMP_SIZE && !is_padding(t->old, from))
			t->size = (uint8_t)from;
		return true;
	}
	return put_jump(t->code + to, slot + to, t->site + from, NULL);
}

uint64_t trampoline_behind(uint64_t at)
{
	struct trampoline t = {.site = at};
	int area;
	uint64_t slot = next_slot(at, &area);

	if (!slot || copyin(t.old, at, sizeof(t.old)) || !put_tail(&t, slot))
		return 0;
	if (t.size < JUMP_SIZE) { /* at another place only distances differ */
		slot = next_slot_by(at, t.old, t.size, &area);
		if (!slot || !put_tail(&t, slot))
			return 0;
	}
	put_call(t.code, slot, slot + TAIL);
	return take_slot(slot, area, &t);
}

/** Whether a jump to the trampoline is there. */
static bool is_jump_to(uint64_t site, uint64_t trampoline)
{
	uint8_t now[JUMP_SIZE];
	int32_t distance;

	if (copyin(now, site, sizeof(now)))
		return false;
	memcpy(&distance, now + 1, 4);
	return now[0] == 0xe9 && site + JUMP_SIZE + (uint64_t)(int64_t)distance == trampoline;
}

size_t trampoline_length(uint64_t trampoline)
{
	const struct trampoline *t = (const struct trampoline *)trampoline;

	return t->from[t->nplaces - 1];
}

size_t trampoline_jump(uint64_t trampoline)
{
	return ((const struct trampoline *)trampoline)->size;
}

bool trampoline_fits(uint64_t trampoline, uint64_t at)
{
	const struct trampoline *t = (const struct trampoline *)trampoline;
	size_t size = trampoline_length(trampoline);
	uint8_t now[sizeof(t->old)];

	if (copyin(now, at, size < JUMP_SIZE ? JUMP_SIZE : size) || (size > JUMP_SIZE && memcmp(now + JUMP_SIZE, t->old + JUMP_SIZE, size - JUMP_SIZE)))
		return false;
	return !memcmp(now, t->old, JUMP_SIZE) || is_jump_to(at, trampoline);
}

/** What a trampoline's jump has replaced, and where. */
static uint64_t replaced(const struct trampoline *t, const uint8_t **old)
{
	uint64_t behind;

	*old = t->old;
	if (t->site)
		return t->site;
	memcpy(&behind, t->code + 7, 8);
	return behind - 2 - t->mov;
}

void trampolines_undo(uint8_t *bytes, uint64_t at, size_t size)
{
	for (unsigned i = 0; i < nareas; i++)
		for (unsigned n = 1; n < areas[i].used; n++) {
			uint64_t trampoline = areas[i].base + n * TRAMPOLINE_SIZE, site;
			const uint8_t *old;

			site = replaced((const struct trampoline *)trampoline, &old);
			if (site + JUMP_SIZE <= at || site >= at + size || !is_jump_to(site, trampoline))
				continue;
			for (unsigned k = 0; k < JUMP_SIZE; k++)
				if (site + k - at < size)
					bytes[site + k - at] = old[k];
		}
}

/** The trampoline that has this address, or NULL. */
static const struct trampoline *find(uint64_t rip)
{
	unsigned n = __atomic_load_n(&nareas, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < n; i++)
		if (rip - areas[i].base < AREA_SIZE)
			return (const struct trampoline *)(rip & ~(uint64_t)(TRAMPOLINE_SIZE - 1));
	return NULL;
}

uint64_t patch_again(uint64_t rip)
{
	const struct trampoline *t = find(rip);

	return t ? (uint64_t)t : rip - 2;
}

void patch_show(struct trapframe *tf)
{
	const struct trampoline *t = find(tf->tf_rip);
	uint64_t offset = tf->tf_rip - (uint64_t)t;

	if (!t)
		return;
	if (!t->site) { /* the mov may have been done, or not */
		uint64_t behind;
		uint32_t number;

		memcpy(&number, t->code + 1, 4);
		memcpy(&behind, t->code + 7, 8);
		tf->tf_rax = number;
		tf->tf_rip = behind - 2;
		return;
	}
	tf->tf_rip = t->site;
	for (unsigned i = 0; i < t->nplaces; i++)
		if (offset >= t->to[i])
			tf->tf_rip = t->site + t->from[i];
}

void patch_resume(struct trapframe *tf)
{
	for (unsigned back = 2; back < JUMP_SIZE; back++) {
		uint64_t trampoline = patch_trampoline(tf->tf_rip - back);
		const struct trampoline *t = (const struct trampoline *)trampoline;

		if (!trampoline || !trampoline_fits(trampoline, tf->tf_rip - back))
			continue;
		for (unsigned i = 0; i < t->nplaces; i++)
			if (t->from[i] == back) {
				tf->tf_rip = trampoline + t->to[i];
				return;
			}
	}
}
