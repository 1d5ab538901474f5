/*
 * command.c - from the launcher's command line (options.c reads its options) to the program, ready to run.
 *
 * The program gets the stack that the kernel has made, with what is the launcher's taken out of it. Exit status of the launcher's own: 127 where
 * PROGRAM is not there, 126 where it can't be run, 125 where libcr can't, 2 for a wrong command line.
 */
#include "program.h"

#include <elf.h>
#include <sys/mman.h>

#define RANDOM_SIZE 16 /* bytes of AT_RANDOM */

static struct executable exe;
static char found[4096];
uint64_t program_base, program_code[2];

void program_fail(int status, const char *what, const char *why)
{
	print(2, "libcr: %s%s%s\n", what, *what ? ": " : "", why);
	for (;;)
		kernel_call(SYS_exit_group, status);
}

static void find(const char *name, char **environment)
{
	const char *path = NULL;
	long error;

	for (; *environment; environment++)
		if (!strncmp(*environment, "PATH=", 5))
			path = *environment + 5;
	error = options.no_search ? find_program(name, "", found, sizeof(found)) : find_program(name, path, found, sizeof(found));
	if (!error)
		error = examine(found, &exe);
	if (error == -ENOENT && exe.interpreter[0])
		program_fail(127, name, "the interpreter that it names is not there");
	if (error == -ENOENT && exe.nprefix)
		program_fail(127, name, "the interpreter in its first line is not there");
	if (error == -ENOENT || error == -ENOTDIR)
		program_fail(127, name, "not found");
	if (error == -ENOEXEC)
		program_fail(126, name, "neither an ELF program nor a script with an interpreter in its first line");
	if (error == -EACCES)
		program_fail(126, name, "permission denied");
	if (error)
		program_fail(126, name, "can't be run");
	if (exe.refusal)
		program_fail(126, name, exe.refusal);
}

static char *put(char **at, const void *bytes, size_t n)
{
	char *to = *at;

	memcpy(to, bytes, n);
	*at += n;
	return to;
}

static char *put_string(char **at, const char *s) { return put(at, s, strlen(s) + 1); }

/** What an entry of the auxiliary vector points to that the kernel has put above the launcher's stack: bytes. */
static size_t pointed_to(uint64_t type, uint64_t value)
{
	return type == AT_RANDOM ? RANDOM_SIZE : (type == AT_PLATFORM || type == AT_BASE_PLATFORM) && value ? strlen((const char *)value) + 1 : 0;
}

static uint64_t count(char **list)
{
	uint64_t n = 0;

	while (list[n])
		n++;
	return n;
}

/** Builds what the program finds at its stack pointer, below the launcher's own. Returns the stack pointer. In a run that can be had again, all of it: the launcher's own strings lie where its options leave room
 *  for them. */
static uint64_t *build_stack(uint64_t *old, char **args, char **environment, const Elf64_auxv_t *auxv, const struct image *program,
                             const struct image *interpreter, struct strings *strings)
{
	uint64_t nargs = count(args), nenv = count(environment), naux = 0, bytes = strlen(found) + 1, words, *sp, *at;
	const char *first = options.argv0 ? options.argv0 : *args;
	char *text;

	do {
		bytes += options.deterministic ? pointed_to(auxv[naux].a_type, auxv[naux].a_un.a_val) : 0;
	} while (auxv[naux++].a_type);
	for (uint64_t i = 0; i < exe.nprefix; i++)
		bytes += strlen(exe.prefix[i]) + 1;
	bytes += strlen(first) + 1;
	for (uint64_t i = 1; i < nargs; i++)
		bytes += strlen(args[i]) + 1;
	for (uint64_t i = 0; options.deterministic && i < nenv; i++)
		bytes += strlen(environment[i]) + 1;
	words = 1 + exe.nprefix + nargs + 1 + nenv + 1 + 2 * naux;
	text = (char *)old - bytes;
	sp = at = (uint64_t *)(((uint64_t)text - 8 * words) & ~15ull);

	*at++ = exe.nprefix ? exe.nprefix + nargs - 1 : nargs;
	strings->args[0] = (uint64_t)text;
	for (uint64_t i = 0; i < exe.nprefix; i++) /* a script's: in place of argv[0] */
		*at++ = (uint64_t)put_string(&text, exe.prefix[i]);
	if (!exe.nprefix)
		*at++ = (uint64_t)put_string(&text, first);
	for (uint64_t i = 1; i < nargs; i++)
		*at++ = (uint64_t)put_string(&text, args[i]);
	strings->args[1] = (uint64_t)text;
	*at++ = 0;
	for (uint64_t i = 0; i < nenv; i++)
		*at++ = (uint64_t)(options.deterministic ? put_string(&text, environment[i]) : environment[i]);
	strings->environment[0] = nenv ? at[-(int64_t)nenv] : strings->args[1];
	strings->environment[1] = nenv ? at[-1] + strlen((const char *)at[-1]) + 1 : strings->args[1];
	*at++ = 0;
	strings->auxv = at;
	strings->auxv_size = naux * sizeof(*auxv);
	for (uint64_t i = 0; i < naux; i++) {
		uint64_t type = auxv[i].a_type, value = auxv[i].a_un.a_val;

		if (options.deterministic) {
			const size_t n = pointed_to(type, value);

			type = deterministic_auxiliary(type, value);
			value = n ? (uint64_t)put(&text, (const void *)value, n) : value;
		}
		switch (type) {
		case AT_PHDR: value = program->phdr; break;
		case AT_PHNUM: value = program->phnum; break;
		case AT_ENTRY: value = program->entry; break;
		case AT_SYSINFO_EHDR: /* while a program is recorded its clocks are calls */
			if (record_mode)
				continue;
			break;
		case AT_BASE: value = interpreter->base; break;
		case AT_EXECFN: value = (uint64_t)put_string(&text, found); break;
		}
		*at++ = type;
		*at++ = value;
	}
	strings->stack = (uint64_t)sp;
	return sp;
}

static void load(const char *name, const char *path, struct image *image)
{
	long error = load_image(path, image);

	if (error == -EEXIST)
		program_fail(126, name, "has to lie where libcr lies, or below what the kernel allows");
	if (error)
		program_fail(126, name, "can't be loaded");
}

void program_load(uint64_t *stack, struct trapframe *tf)
{
	char **argv = (char **)(stack + 1), **environment = argv + stack[0] + 1, **args;
	const Elf64_auxv_t *auxv = (const Elf64_auxv_t *)(environment + count(environment) + 1);
	static struct image program, interpreter, other;
	struct strings strings;
	uint64_t *sp;

	args = options_read(argv, environment);
	script_trace_open();
	if (record_mode == RECORD_REPLAYS) {
		if (options.replays_other) {
			find(*args, environment);
			load(*args, exe.path, &other);
		}
		program_watched = WATCHES_ALL;
		replay_begin(tf, options.replays_other ? &other : NULL);
		return;
	}
	program_watched = (record_mode || options.deterministic || (options.trace >= 0 && !options.script_trace) || options.stats >= 0 || policy_active || options.metrics ? WATCHES_ALL : 0) | (options.shims[0] || script_active ? WATCHES_WANTED : 0);
	find(*args, environment);
	record_images_of(1);
	load(*args, exe.path, &program);
	record_images_of(0);
	interpreter = (struct image){.entry = program.entry};
	if (exe.interpreter[0])
		load(exe.interpreter, exe.interpreter, &interpreter);
	metrics_make();
	for (unsigned i = 0; options.shims[i]; i++)
		options.shims[i] = shims_load(options.shims[i], environment);
	memcpy(program_code, program.code, sizeof(program_code));
	program_base = program.base;
	sp = build_stack(options.deterministic ? deterministic_stack(stack) : stack, args, environment, auxv, &program, &interpreter, &strings);
	if (program.executable_stack)
		kernel_call(SYS_mprotect, (uint64_t)sp & ~4095ull, 4096, PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN);
	self_init(found, exe.path, &program, &strings);
	*args = (char *)(uintptr_t)(options.argv0 ? options.argv0 : *args); /* as execve had it: without a script's interpreter */
	if (traces_call(SYS_execve))
		trace_started(found, args, (uint64_t)(sp + *sp + 2)); /* the program's environment */
	shims_begin();
	script_begin(found);
	memset(tf, 0, sizeof(*tf));
	tf->tf_flags = TFF_FULL | TFF_ASYNC;
	tf->tf_rip = interpreter.entry;
	tf->tf_rsp = (uint64_t)sp;
	tf->tf_cs = USER_CS;
	tf->tf_ss = USER_SS;
	tf->tf_rflags = USER_RFLAGS;
	record_begin(program_exe, args, environment, tf);
}
