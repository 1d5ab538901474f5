/*
 * chain.c - native shims: functions from shared objects (object.c), in front of a program's calls. libcr_shim.h is what they are compiled with.
 *
 * A message lies on the kernel stack of the lwp that makes the call, and says itself how far down it has come: next() has no other argument. Below them all are
 * shims in another process (script/), and at the bottom what makes a call without any. The program's registers are not touched: where a shim has changed the call, it is made from a copy of the trapframe.
 *
 * Invariant: where shims use vector registers, those of the program are saved around the chain, and are the program's again whenever something below it runs.
 */
#define SHIM_INTERNAL
#include "program.h"
#include "own.h"
#include "script.h"
#include "shim.h"

#include <cpuid.h>
#include <fcntl.h>

#define PKRU 0x200ull /* the kernel changes it in pkey_alloc; no compiler does */
#define XSAVE_HEADER 512

/** A call that goes through shims: what sm_private[0] points to. sm_private[1] is the level. */
struct chain {
	struct lwp *lwp;
	struct trapframe *tf;
	uint32_t wanting;
	call_handler made;
	void *vectors; /* the program's, or NULL */
};

unsigned shims_count;
struct shim_object shims[SHIMS_MAX];
uint32_t shims_wanted[CALLS], shims_wanted_unknown; /* written before the program begins */
static uint32_t xsave_size;
static uint64_t xsave_features;
static bool vectors_used; /* by one of them */

static void find_xsave(void)
{
	unsigned a, b, c, d;

	__cpuid_count(0xd, 0, a, b, c, d);
	xsave_size = b;
	xsave_features = (a | (uint64_t)d << 32) & ~PKRU;
}

static void save_vectors(void *area)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"((uint32_t)xsave_features), "d"((uint32_t)(xsave_features >> 32)) : "memory");
}

static void load_vectors(const struct chain *chain)
{
	if (chain->vectors)
		__asm__ volatile("xrstor64 (%0)" : : "r"(chain->vectors), "a"((uint32_t)xsave_features), "d"((uint32_t)(xsave_features >> 32)) : "memory");
}

/** What nothing can come after. */
static bool is_end(uint64_t number)
{
	return number == SYS_exit || number == SYS_exit_group;
}

static bool is_changed(const struct sysmsg *msg, const struct trapframe *tf)
{
	return (uint64_t)msg->sm_number != tf->tf_number || msg->sm_args[0] != tf->tf_rdi || msg->sm_args[1] != tf->tf_rsi || msg->sm_args[2] != tf->tf_rdx ||
	       msg->sm_args[3] != tf->tf_r10 || msg->sm_args[4] != tf->tf_r8 || msg->sm_args[5] != tf->tf_r9;
}

static long make_changed(const struct sysmsg *msg, const struct chain *chain)
{
	struct trapframe changed;
	long result;

	changed = *chain->tf;
	changed.tf_number = (uint64_t)msg->sm_number;
	changed.tf_rdi = msg->sm_args[0];
	changed.tf_rsi = msg->sm_args[1];
	changed.tf_rdx = msg->sm_args[2];
	changed.tf_r10 = msg->sm_args[3];
	changed.tf_r8 = msg->sm_args[4];
	changed.tf_r9 = msg->sm_args[5];
	result = chain->made(chain->lwp, &changed);
	chain->tf->tf_rsp = changed.tf_rsp; /* in a child, clone has given it another stack */
	return result;
}

static long make_last(struct sysmsg *msg, const struct chain *chain)
{
	long result;

	load_vectors(chain);
	if (msg->sm_number == SYS_rt_sigreturn)
		return -ENOSYS; /* it would be of no frame */
	result = is_changed(msg, chain->tf) ? make_changed(msg, chain) : chain->made(chain->lwp, chain->tf);
	msg->sm_pid = chain->lwp->lwp_proc->p_pid; /* a fork's child goes on here, too */
	msg->sm_tid = chain->lwp->lwp_tid;
	return result;
}

/** What is below the last of them. */
static long call_script(struct sysmsg *msg, const struct chain *chain)
{
	return script_wants_call((uint64_t)msg->sm_number) ? script_call(chain->lwp, msg, make_last, chain) : make_last(msg, chain);
}

/** What shims know as next. */
static long next(struct sysmsg *msg)
{
	const struct chain *chain = (const struct chain *)msg->sm_private[0];
	const unsigned long level = msg->sm_private[1];
	const uint32_t below = level < SHIMS_MAX ? chain->wanting >> level : 0;
	const unsigned shim = (unsigned)level + (unsigned)__builtin_ctz(below ?: 1);
	struct sysmsg own; /* what the shim changes is not for those above */
	long result;

	if (!below)
		return call_script(msg, chain);
	own = *msg;
	own.sm_private[1] = shim + 1;
	result = shims[shim].shim(&own, next);
	msg->sm_pid = own.sm_pid;
	msg->sm_tid = own.sm_tid;
	return result;
}

static long call_by(struct chain *chain)
{
	const struct trapframe *tf = chain->tf;
	struct sysmsg msg = {
		.sm_number = (long)tf->tf_number,
		.sm_args = {tf->tf_rdi, tf->tf_rsi, tf->tf_rdx, tf->tf_r10, tf->tf_r8, tf->tf_r9},
		.sm_pid = chain->lwp->lwp_proc->p_pid,
		.sm_tid = chain->lwp->lwp_tid,
		.sm_private = {(unsigned long)chain, 0},
	};
	long result = next(&msg);

	load_vectors(chain);
	return is_end(tf->tf_number) ? chain->made(chain->lwp, chain->tf) : result;
}

/** Apart, as its frame is large. */
static __attribute__((noinline)) long call_with_vectors(struct chain *chain)
{
	char area[xsave_size + 64];

	chain->vectors = (void *)(((uintptr_t)area + 63) & ~63ul);
	memset((char *)chain->vectors + XSAVE_HEADER, 0, 64);
	save_vectors(chain->vectors);
	return call_by(chain);
}

long shims_call(struct lwp *lwp, struct trapframe *tf, uint32_t wanted_by, call_handler made)
{
	struct chain chain = {.lwp = lwp, .tf = tf, .wanting = wanted_by, .made = made};

	return vectors_used && wanted_by ? call_with_vectors(&chain) : call_by(&chain);
}

/* ------------------------------------------------ which calls */

static void want(unsigned shim, uint64_t number)
{
	if (number != SYS_rt_sigreturn) /* it gives back all registers, and what it answers is one of them */
		shims_wanted[number] |= 1u << shim;
}

static bool is_between(char c) { return c == ' ' || c == ',' || c == '\t' || c == '\n'; }

/** The calls of shim_on. */
static void want_named(unsigned shim, const char *names)
{
	char name[32];

	for (;;) {
		unsigned n = 0;
		long number;

		while (is_between(*names))
			names++;
		if (!*names)
			return;
		for (; *names && !is_between(*names); names++)
			if (n < sizeof(name) - 1)
				name[n++] = *names;
		name[n] = 0;
		number = call_number(name);
		if (number < 0)
			shim_refuse(&shims[shim], "wants a system call that there is not, in shim_on: ", name);
		for (unsigned i = 0; i < CALLS; i++)
			if (call_stands_for(i, (uint64_t)number))
				want(shim, i);
	}
}

static void want_all(unsigned shim)
{
	for (unsigned i = 0; i < CALLS; i++)
		want(shim, i);
	shims_wanted_unknown |= 1u << shim;
}

static void find_stderr(void)
{
	const long fd = kernel_call(SYS_fcntl, 2, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0)
		shim_stderr = own_move((int)fd);
}

const char *shims_load(const char *path, char **environment)
{
	const unsigned i = shims_count++;
	struct shim_object *shim = &shims[i];

	shim_environment = environment;
	if (i == 0)
		find_stderr();
	shim_object_load(shim, path);
	vectors_used |= shim->uses_vectors;
	if (vectors_used)
		find_xsave();
	if (shim->on)
		want_named(i, shim->on);
	else
		want_all(i);
	return shim->path;
}

/* ------------------------------------------------ what begins and ends */

void shims_begin(void)
{
	for (unsigned i = 0; i < shims_count; i++)
		if (shims[i].begin)
			shims[i].begin();
	shim_environment = NULL;
}

void shims_forked(void)
{
	if (shims_count && kernel_call(SYS_fcntl, shim_stderr, F_GETFD) < 0) /* it was the parent's own */
		find_stderr();
	for (unsigned i = 0; i < shims_count; i++)
		if (shims[i].forked)
			shims[i].forked();
}

void shims_end(int status)
{
	for (unsigned i = shims_count; i > 0; i--)
		if (shims[i - 1].end)
			shims[i - 1].end(status);
}

const char *shims_at(uint64_t address)
{
	for (unsigned i = 0; i < shims_count; i++)
		if (address >= shims[i].image.code[0] && address < shims[i].image.code[1])
			return shims[i].path;
	return NULL;
}
