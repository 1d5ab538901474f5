/*
 * write.c - recording: an event for each call that returns, each lwp that begins and each signal that is delivered, at the last moment before the program goes on.
 *
 * Calls by which data goes past the program, to what a replay shows, are answered as if the kernel had none of them for these files: programs read and write then.
 */
#include "record.h"

#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#define MODE_OF_FILES 0170000
#define REGULAR 0100000

static bool shares; /* memory that a process which is made has, too */

static void add_note(unsigned number, const char *what)
{
	log_begin(RECORD_NOTE, (uint16_t)number, 0);
	log_add(what, strlen(what) + 1);
	log_end();
}

void write_note(const char *what)
{
	static const char *said[16];
	unsigned i = 0;

	for (; i < 16 && said[i]; i++)
		if (said[i] == what)
			return;
	if (i < 16)
		said[i] = what;
	if (log_is_over)
		return;
	print(2, "libcr: record: %s\n", what);
	add_note(0, what);
}

void write_escape(unsigned note)
{
	if (!log_is_over)
		add_note(note, "the process runs without libcr from here on: what it does is not in the recording");
}

/* ------------------------------------------------ what is not made */

/** What a call is answered instead of being made; 0. */
static long refuse(const struct trapframe *tf)
{
	switch (tf->tf_number) {
	case SYS_io_setup: /* what the kernel reads comes into the memory between calls */
	case SYS_io_uring_setup:
	case SYS_userfaultfd: return -ENOSYS;
	case SYS_pkey_alloc: return -ENOSPC; /* as a processor without them */
	case SYS_copy_file_range: return shown_is_output(tf->tf_rdx) ? -EXDEV : 0;
	case SYS_sendfile: return shown_is_output(tf->tf_rdi) ? -EINVAL : 0;
	case SYS_splice: return shown_is_output(tf->tf_rdx) ? -EINVAL : 0;
	case SYS_tee: return shown_is_output(tf->tf_rsi) ? -EINVAL : 0;
	case SYS_vmsplice: return shown_is_output(tf->tf_rdi) ? -EBADF : 0;
	}
	return 0;
}

/** clone's and clone3's are written by libcr or by the kernel where the arguments say so. */
static bool makes_process(const struct trapframe *tf)
{
	return tf->tf_number == SYS_fork || tf->tf_number == SYS_vfork || tf->tf_number == SYS_clone || tf->tf_number == SYS_clone3;
}

/** Says what a replay will not have. */
static void look_at(const struct trapframe *tf)
{
	switch (tf->tf_number) {
	case SYS_mmap:
		shares |= (tf->tf_r10 & MAP_SHARED) && (tf->tf_r10 & MAP_ANONYMOUS) && (tf->tf_rdx & PROT_WRITE);
		if ((tf->tf_r10 & (MAP_SHARED | MAP_PRIVATE)) != MAP_PRIVATE && !(tf->tf_r10 & MAP_ANONYMOUS) && (tf->tf_rdx & PROT_WRITE))
			write_note("a file is mapped to be written: what others write there meanwhile is not in the recording");
		break;
	case SYS_shmat: write_note("memory is shared with other processes: what they write there is not in the recording"); break;
	case SYS_ptrace:
		if (tf->tf_rdi == PTRACE_TRACEME)
			write_escape(NOTE_TRACED);
		else
			write_note("another process is traced: what it is made to do is not in the recording");
		break;
	case SYS_process_vm_readv: write_note("the memory of another process is read: that is not in the recording"); break;
	case SYS_modify_ldt: write_note("the program changes what its memory means to the processor: a replay does not"); break;
	}
}

/* ------------------------------------------------ events */

static struct record *begin_call(const struct lwp *lwp, const struct capture *c, enum record_kind kind)
{
	struct record *r = log_begin(kind, (uint16_t)c->call.given.sm_number, lwp->lwp_tid);

	r->re_nargs = (uint8_t)c->nargs;
	r->re_hash = c->hash.a ^ c->hash.b;
	log_add(c->call.given.sm_args, c->nargs * 8);
	log_add(c->pieces, c->used);
	return r;
}

/** A mapped file's contents; of one that is no ordinary file there is nothing to be had. */
static void add_mapping(const struct trapframe *tf, long address)
{
	const int64_t n = log_add_contents((int)tf->tf_r8, tf->tf_r9, tf->tf_rsi, (uint64_t)address);

	if (n < 0)
		log_under_way()->re_result = -EINVAL;
}

/** A call that changes stdout or stderr: where it stands among those of all processes. */
static void add_shown(void)
{
	const struct piece piece = {.pc_address = __atomic_fetch_add(&log_head->rh_shown, 1, __ATOMIC_SEQ_CST), .pc_what = PIECE_SHOWN};

	log_add(&piece, sizeof(piece));
}

static bool writes(uint64_t number)
{
	return number == SYS_write || number == SYS_writev || number == SYS_pwrite64 || number == SYS_sendto || number == SYS_sendmsg;
}

static void end_call(const struct capture *c, long result)
{
	log_under_way()->re_result = result;
	if (result > 0 && writes((uint64_t)c->call.given.sm_number) && shown_is_output((uint64_t)c->call.given.sm_args[0]))
		add_shown();
	else if (c->call.given.sm_number == SYS_mmap && !(result < 0 && result > -4096) && !(c->call.given.sm_args[3] & MAP_ANONYMOUS))
		add_mapping(&(struct trapframe){.tf_r8 = c->call.given.sm_args[4], .tf_r9 = c->call.given.sm_args[5], .tf_rsi = c->call.given.sm_args[1]}, result);
	else if (c->call.given.sm_number != SYS_read || result <= 0 || !log_add_whole_read((int)c->call.given.sm_args[0], (uint64_t)result, (uint64_t)c->call.given.sm_args[1]))
		capture_written(c, result);
	kept_add_write(c, result);
	log_end();
}

static void write_exec(const struct lwp *lwp, const struct capture *c)
{
	if (!process_next) /* else it has failed before: programs try one folder after the other */
		process_next = log_new_stream(true);
	begin_call(lwp, c, RECORD_EXEC)->re_stream = process_next;
	log_end();
}

long write_call(struct lwp *lwp, struct trapframe *tf, call_handler make)
{
	struct capture *c = capture_call(lwp, tf);
	const int tid = lwp->lwp_tid;
	long result = c ? refuse(tf) : 0;
	const bool executes = tf->tf_number == SYS_execve || tf->tf_number == SYS_execveat;
	bool shows = false;

	if (!c)
		return -ENOMEM;
	look_at(tf);
	if (tf->tf_number == SYS_exit_group || tf->tf_number == SYS_exit) { /* nothing returns */
		begin_call(lwp, c, RECORD_CALL);
		log_end();
		return make(lwp, tf);
	}
	if (!lwp->lwp_proc->p_vforked_by) /* nobody else can have it */
		program_turn_over(lwp);
	if (executes) {
		write_exec(lwp, c);
		record_tsc_exec(true);
	}
	if (!result) {
		shows = writes(tf->tf_number) && shown_is_output(tf->tf_rdi) && shown_begin_write(lwp);
		result = make(lwp, tf);
	}
	if (executes)
		record_tsc_exec(false);
	if (lwp->lwp_tid != tid) /* a new process, which has a stream of its own */
		return result;
	if (shares && makes_process(tf) && result > 0 && process_made)
		write_note("memory is shared with another process: what that writes there is not in the recording");
	begin_call(lwp, c, RECORD_CALL)->re_stream = makes_process(tf) && result > 0 ? process_made : 0;
	process_made = 0;
	shown_call(&(struct trapframe){.tf_number = (uint64_t)c->call.given.sm_number,
	                               .tf_rdi = c->call.given.sm_args[0],
	                               .tf_rsi = c->call.given.sm_args[1],
	                               .tf_rdx = c->call.given.sm_args[2]},
	           result);
	end_call(c, result);
	if (shows)
		shown_end_write(lwp);
	return result;
}
