/*
 * image.c - what a program begins with: its files in memory, its stack, and what a reader wants to know of it. A replay has all of that from the recording, and the
 * program's files are not needed.
 */
#include "record.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#define PAGE 4096ull
#define STRINGS_MAX (64u << 10) /* in the header, which is to be read by people; the stack has all */
#define STACK_TOP 0x7ffffffff000ull /* where the kernel puts nothing at random */

static uint16_t images;

/** A hash of libcr's code: another launcher lies elsewhere, and so does what the program maps. All of a recording's processes have the same one. */
static uint64_t build_hash(void)
{
	struct hash hash;

	if (!log_head->rh_build) {
		hash_begin(&hash);
		hash_add(&hash, program_text, (size_t)(program_text_end - program_text));
		log_head->rh_build = hash.a ^ hash.b;
	}
	return log_head->rh_build;
}

static void add_string(const char *text)
{
	log_add(text, strlen(text) + 1);
}

static uint32_t add_strings(char **list)
{
	uint32_t n = 0;

	for (; list[n] && log_size() + strlen(list[n]) < STRINGS_MAX; n++)
		add_string(list[n]);
	return n;
}

void image_header(const struct record_header *like, char **args, char **environment, const char *path)
{
	static char folder[4096];
	struct record_header header = *like;
	struct utsname system;
	struct timespec now = {0};
	uint32_t argc, envc;
	const struct record *r = log_begin(RECORD_HEADER, 0, like->hd_pid);

	(void)r;
	kernel_call(SYS_clock_gettime, CLOCK_REALTIME, &now);
	header.hd_build = build_hash();
	header.hd_time = now.tv_sec;
	header.hd_shown = shown_word();
	log_add(&header, sizeof(header));
	argc = args ? add_strings(args) : 0;
	envc = environment ? add_strings(environment) : 0;
	system.release[0] = folder[0] = 0;
	if (args) { /* else it is as in the process that has made this one */
		if (kernel_call(SYS_getcwd, folder, sizeof(folder)) < 0)
			folder[0] = 0;
		kernel_call(SYS_uname, &system);
	}
	add_string(folder);
	add_string(path);
	add_string(system.release);
	((struct record_header *)(log_under_way() + 1))->hd_argc = argc;
	((struct record_header *)(log_under_way() + 1))->hd_envc = envc;
	log_end();
}

void record_image(uint64_t at, uint64_t size, int protection, int fd, uint64_t offset, uint64_t filled)
{
	const struct piece place = {.pc_address = at, .pc_length = (uint32_t)size, .pc_what = PIECE_PLACE};

	if (record_mode != RECORD_WRITES)
		return;
	log_begin(RECORD_IMAGE, images, 0)->re_result = protection;
	log_add(&place, sizeof(place));
	if (filled)
		log_add_contents(fd, offset, filled, at);
	log_end();
}

void record_images_of(uint16_t which)
{
	images = which;
}

static uint64_t ignored(const struct proc *proc)
{
	uint64_t set = 0;

	for (int sig = 1; sig <= SIGNALS; sig++)
		if (proc->p_sigacts[sig].act_handler == 1 /* SIG_IGN */)
			set |= SIGNAL_BIT(sig);
	return set;
}

void record_begin(const char *path, char **args, char **environment, const struct trapframe *tf)
{
	const struct record_header header = {
		.hd_rip = tf->tf_rip,
		.hd_rsp = tf->tf_rsp,
		.hd_stack = program_stack,
		.hd_sigmask = options.has_sigmask ? options.sigmask : program_proc.p_main->lwp_sigmask,
		.hd_ignored = ignored(&program_proc),
		.hd_pid = program_proc.p_pid,
		.hd_parent = (int)kernel_call(SYS_getppid),
	};

	if (record_mode != RECORD_WRITES)
		return;
	image_header(&header, args, environment, path);
	log_begin(RECORD_STACK, 0, 0);
	log_add_piece(tf->tf_rsp, STACK_TOP - tf->tf_rsp, PIECE_OUT);
	log_end();
	record_tsc_begin();
}

/* ------------------------------------------------ and there again */

const struct record_header *image_find_header(void)
{
	const struct record_extent *extent;
	const struct record *r = log_first(process_stream, &extent, RECORD_HEADER);

	if (!r)
		process_killed(); /* before it had begun */
	if (!r || r->re_size < sizeof(*r) + sizeof(struct record_header))
		program_fail(125, "replay", log_ended() ? "the recording could not be written any further before this program began" : "the recording has no beginning");
	return (const struct record_header *)(r + 1);
}

static void map_part(const struct record *r)
{
	const struct piece *place = record_piece(r, NULL), *p = place;

	if (!place || kernel_call(SYS_mmap, place->pc_address, place->pc_length, PROT_READ | PROT_WRITE,
	                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != (long)place->pc_address)
		program_fail(125, "replay", "the program can't lie where it was: this is another kernel, or another limit of the stack's size");
	while ((p = record_piece(r, p))) {
		if (image_put(p, (int)r->re_result))
			program_fail(125, "replay", "the recording is damaged");
		if ((r->re_result & PROT_WRITE) && p->pc_length % PAGE) /* as load.c does; in the recording the file may go on */
			memset((void *)(p->pc_address + p->pc_length), 0, PAGE - p->pc_length % PAGE);
	}
	if (kernel_call(SYS_mprotect, place->pc_address, place->pc_length, (int)r->re_result))
		program_fail(125, "replay", "the program's memory can't be protected as it was");
}

long image_put(const struct piece *piece, int protection)
{
	const uint64_t at = *(const uint64_t *)(piece + 1), end = (piece->pc_length + PAGE - 1) & ~(PAGE - 1);
	const void *bytes = piece_bytes(piece);
	long error;

	if (!(piece->pc_what & PIECE_CONTENT) || !bytes)
		return -EINVAL;
	if (log_map(piece->pc_address, piece->pc_length, protection, at) == (long)piece->pc_address)
		return 0;
	/* it is code, and the recording lies where nothing may be run */
	error = kernel_call(SYS_mprotect, piece->pc_address, end, PROT_READ | PROT_WRITE);
	return error ?: copyout(piece->pc_address, bytes, piece->pc_length) ?: kernel_call(SYS_mprotect, piece->pc_address, end, protection);
}

/** Another program than the recorded one lies there: where its beginning is. */
static void change_stack(uint64_t *sp, const struct image *other)
{
	uint64_t *at = sp + sp[0] + 2;

	while (*at++)
		;
	for (; *at; at += 2)
		switch (*at) {
		case AT_PHDR: at[1] = other->phdr; break;
		case AT_PHNUM: at[1] = other->phnum; break;
		case AT_ENTRY: at[1] = other->entry; break;
		}
}

static void begin_signals(const struct record_header *header)
{
	for (int sig = 1; sig <= SIGNALS; sig++)
		program_proc.p_sigacts[sig] = (struct sigact){.act_handler = header->hd_ignored & SIGNAL_BIT(sig) ? 1 : 0};
	options.has_sigmask = true;
	options.sigmask = header->hd_sigmask;
}

void replay_begin(struct trapframe *tf, const struct image *other)
{
	const struct record_header *header = image_find_header();
	const struct record_extent *extent;
	const struct record *stack = log_first(process_stream, &extent, RECORD_STACK);
	const struct piece *p = stack ? record_piece(stack, NULL) : NULL;

	if (!p || !header->hd_rip)
		program_fail(125, "replay",
		             log_ended() && header->hd_rip ? "the recording could not be written any further before this program began"
		                                           : "the recording has no program's beginning: it is one of a process that another has made");
	if (header->hd_build != build_hash())
		print(2, "libcr: replay: recorded by another libcr, whose memory may lie elsewhere\n");
	for (const struct record *r = log_first(process_stream, &extent, RECORD_IMAGE); r; r = log_after(&extent, r, RECORD_IMAGE))
		if (!other || r->re_number != IMAGE_PROGRAM)
			map_part(r);
	if (!piece_bytes(p) || copyout(p->pc_address, piece_bytes(p), p->pc_length))
		program_fail(125, "replay", "the stack can't lie where it was");
	if (other)
		change_stack((uint64_t *)header->hd_rsp, other);
	program_stack = header->hd_stack;
	begin_signals(header);
	shown_begin(header->hd_shown);
	record_tsc_begin();
	memset(tf, 0, sizeof(*tf));
	tf->tf_flags = TFF_FULL | TFF_ASYNC;
	tf->tf_rip = header->hd_rip;
	tf->tf_rsp = header->hd_rsp;
	tf->tf_cs = USER_CS;
	tf->tf_ss = USER_SS;
	tf->tf_rflags = USER_RFLAGS;
}
