/*
 * own.c - libcr's own descriptors: where --stats and --trace go, and what an rfork waits by (wait/). The program can neither use nor close them, nor put another file in
 * their place, nor hand them to somebody: for its calls there is nothing at their numbers. They are not in its /proc/self/fd.
 *
 * They lie above what the program may open (RLIMIT_NOFILE), where the hard limit has room for that: then no number of its is missing. Else from 900 on; and
 * where not so many are allowed, at the end of what is.
 *
 * What may be done with them: poll and select say whether they are ready, and an io_uring of the program's own takes any number.
 *
 * Invariant: what is in the table is open in this process, or in one that shares its descriptors. An entry keeps its place: -1 is none.
 */
#include "program.h"
#include "own.h"

#include "lwkt_kernel.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#define OWN_MAX (2 * 64 + 8) /* two for each rfork */
#define FIRST 900
#define HIGHEST 65536      /* a limit above that does not count: the kernel's table of descriptors is as large as the highest */
#define ROOM 256           /* that are kept, above the program's limit */
#define CONTROL_MAX 65536u /* bytes of a message's control data that are looked at: more than the kernel takes */
#define PROC_SUPER_MAGIC 0x9fa0

enum kind {
	PRIVATE,   /* of this process */
	INHERITED, /* given to children, and to the program that follows */
	ANOTHERS,  /* of a process that shares descriptors with this one */
};

static struct own {
	int fd;
	enum kind kind;
} table[OWN_MAX];
static unsigned ntable;
static uint32_t lock;       /* of who changes the table. Who reads it has none: a child of vfork could be killed with it */
static uint32_t limit_lock; /* held while the limit is not what the program has set */
static uint32_t highest;
static bool has_room; /* for them, in the kernel's table */
uint32_t own_lowest = ~0u;
bool own_any, own_files_are_shared;

/* ---------------------------------------------------------------- the table */

static void find_ends(void)
{
	uint32_t lowest = ~0u;

	highest = 0;
	for (unsigned i = 0; i < ntable; i++) {
		uint32_t fd = (uint32_t)table[i].fd;

		if (table[i].fd < 0)
			continue;
		lowest = fd < lowest ? fd : lowest;
		highest = fd > highest ? fd : highest;
	}
	own_lowest = lowest;
	own_any = highest > 0;
}

static void add(int fd, enum kind kind)
{
	unsigned i = 0;

	lwkt_word_lock(&lock);
	while (i < ntable && table[i].fd >= 0)
		i++;
	if (i < OWN_MAX) {
		table[i].kind = kind;
		__atomic_store_n(&table[i].fd, fd, __ATOMIC_RELEASE);
		ntable += i == ntable;
	}
	find_ends();
	lwkt_word_unlock(&lock);
}

/** A child of vfork with descriptors of its own has copies of those that are private, with which it does what it likes. */
static bool concerns(const struct lwp *lwp, enum kind kind)
{
	return kind == INHERITED || !lwp->lwp_proc->p_files_are_copies;
}

int64_t own_first(const struct lwp *lwp, uint64_t first, uint64_t last)
{
	int64_t found = -1;

	if (last < own_lowest || first > highest)
		return -1;
	for (unsigned i = 0; i < ntable; i++) {
		int fd = __atomic_load_n(&table[i].fd, __ATOMIC_ACQUIRE);

		if (fd >= 0 && (uint64_t)fd >= first && (uint64_t)fd <= last && (found < 0 || fd < found) && concerns(lwp, table[i].kind))
			found = fd;
	}
	return found;
}

static bool is_own(const struct lwp *lwp, uint32_t fd)
{
	return own_first(lwp, fd, fd) >= 0;
}

void own_close(int fd)
{
	bool found = false;

	lwkt_word_lock(&lock);
	for (unsigned i = 0; i < ntable && !found; i++) {
		found = table[i].fd == fd && table[i].kind == PRIVATE;
		if (found)
			table[i].fd = -1;
	}
	find_ends();
	lwkt_word_unlock(&lock);
	if (found)
		kernel_call(SYS_close, fd);
}

void own_forked(bool shared)
{
	unsigned n = ntable;

	lock = limit_lock = 0;
	has_room = false;
	ntable = 0;
	for (unsigned i = 0; i < n; i++) {
		struct own own = table[i];

		if (own.fd < 0)
			continue;
		if (own.kind == PRIVATE && !shared)
			kernel_call(SYS_close, own.fd);
		else if (own.kind != ANOTHERS || shared)
			table[ntable++] = (struct own){own.fd, own.kind == INHERITED ? INHERITED : ANOTHERS};
	}
	find_ends();
	own_files_are_shared = shared;
}

/* ---------------------------------------------------------------- their numbers */

static long duplicate(int fd, uint64_t least)
{
	return kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
}

/** Above what the program may open, -errno if that can't be. */
static long duplicate_above(int fd)
{
	struct rlimit limit, higher;
	long result = -EINVAL;

	lwkt_word_lock(&limit_lock);
	if (!kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) && limit.rlim_cur <= HIGHEST && limit.rlim_max >= limit.rlim_cur + ROOM) {
		higher = (struct rlimit){limit.rlim_cur + ROOM, limit.rlim_max};
		if (!kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, &higher, NULL)) {
			result = duplicate(fd, limit.rlim_cur);
			kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
		}
	} else if (limit.rlim_cur <= FIRST && limit.rlim_cur > OWN_MAX) {
		result = duplicate(fd, limit.rlim_cur - OWN_MAX);
	}
	lwkt_word_unlock(&limit_lock);
	return result;
}

static long duplicate_high(int fd)
{
	const long high = duplicate_above(fd);

	return high < 0 ? duplicate(fd, FIRST) : high;
}

/** Where it can't be moved it stays, if it is libcr's own. */
static int move(int fd, enum kind kind, bool is_programs)
{
	long high = duplicate_high(fd);

	if (high < 0 && fd <= 2)
		high = duplicate(fd, 3);
	if (high < 0 && is_programs)
		return (int)high;
	if (high < 0)
		high = fd;
	else if (!is_programs)
		kernel_call(SYS_close, fd);
	add((int)high, kind);
	return (int)high;
}

int own_move(int fd)
{
	return move(fd, PRIVATE, false);
}

int own_move_inherited(int fd)
{
	return move(fd, INHERITED, false);
}

int own_copy_inherited(int fd)
{
	return move(fd, INHERITED, true);
}

void own_make_room(void)
{
	long fd, high;

	if (has_room || own_files_are_shared)
		return;
	has_room = true;
	fd = kernel_call(SYS_eventfd2, 0, EFD_CLOEXEC);
	if (fd < 0)
		return;
	high = duplicate_high((int)fd);
	if (high >= 0)
		kernel_call(SYS_close, high);
	kernel_call(SYS_close, fd);
}

void own_keep_inherited(int fd)
{
	kernel_call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
	add(fd, INHERITED);
}

void own_pass_on(bool pass)
{
	for (unsigned i = 0; i < ntable; i++)
		if (table[i].fd >= 0 && table[i].kind == INHERITED)
			kernel_call(SYS_fcntl, table[i].fd, F_SETFD, pass ? 0 : FD_CLOEXEC);
}

int own_open(int *fd, const char *path, int flags)
{
	long opened;

	if (*fd >= 0)
		return *fd;
	opened = kernel_call(SYS_open, path, flags | O_CLOEXEC);
	if (opened >= 0)
		*fd = own_move((int)opened);
	return (int)opened < 0 ? (int)opened : *fd;
}

/* ---------------------------------------------------------------- calls that name one */

static uint64_t argument(const struct trapframe *tf, unsigned i)
{
	switch (i) {
	case 0: return tf->tf_rdi;
	case 1: return tf->tf_rsi;
	case 2: return tf->tf_rdx;
	case 3: return tf->tf_r10;
	case 4: return tf->tf_r8;
	default: return tf->tf_r9;
	}
}

/** Whether a message hands one of them to somebody (SCM_RIGHTS). What can't be read the kernel finds, too. */
static bool hands_over(const struct lwp *lwp, uint64_t message)
{
	struct msghdr header;
	struct cmsghdr control;
	uint64_t at, end;

	if (copyin(&header, message, sizeof(header)) || header.msg_controllen > CONTROL_MAX)
		return false;
	at = (uint64_t)header.msg_control;
	for (end = at + header.msg_controllen; at + sizeof(control) <= end; at += (control.cmsg_len + 7) & ~7ull) {
		if (copyin(&control, at, sizeof(control)) || control.cmsg_len < sizeof(control) || control.cmsg_len > end - at)
			return false;
		if (control.cmsg_level != SOL_SOCKET || control.cmsg_type != SCM_RIGHTS)
			continue;
		for (uint64_t one = at + sizeof(control); one + 4 <= at + control.cmsg_len; one += 4) {
			uint32_t fd;

			if (!copyin(&fd, one, 4) && is_own(lwp, fd))
				return true;
		}
	}
	return false;
}

static bool one_hands_over(const struct lwp *lwp, uint64_t messages, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < 1024; i++)
		if (hands_over(lwp, messages + i * sizeof(struct mmsghdr)))
			return true;
	return false;
}

bool own_is_used(const struct lwp *lwp, const struct trapframe *tf)
{
	unsigned bits = tf->tf_number < sizeof(descriptor_arguments) ? descriptor_arguments[tf->tf_number] : 0;

	if (tf->tf_number == SYS_mmap && (tf->tf_r10 & MAP_ANONYMOUS)) /* it takes none */
		return false;
	for (; bits; bits &= bits - 1)
		if (is_own(lwp, (uint32_t)argument(tf, (unsigned)__builtin_ctz(bits))))
			return true;
	if (tf->tf_number == SYS_sendmsg)
		return hands_over(lwp, tf->tf_rsi);
	return tf->tf_number == SYS_sendmmsg && one_hands_over(lwp, tf->tf_rsi, (uint32_t)tf->tf_rdx);
}

/** The limit of descriptors is not looked at, and not set, while it is another one for a moment. */
static long own_limit(struct lwp *lwp, struct trapframe *tf)
{
	long result;

	if (lwp->lwp_proc->p_vforked_by) /* nobody changes his */
		return program_pass(lwp, tf);
	lwkt_word_lock(&limit_lock);
	result = program_pass(lwp, tf);
	lwkt_word_unlock(&limit_lock);
	out_limits_changed();
	return result;
}

/* ---------------------------------------------------------------- /proc/self/fd */

/** What a folder's descriptor is a list of: the process' descriptors? */
static bool lists_descriptors(uint32_t fd)
{
	char link[32], path[64], own[32];
	const char *last;
	struct statfs about;
	struct text text;
	long n;

	if (kernel_call(SYS_fstatfs, fd, &about) || about.f_type != PROC_SUPER_MAGIC)
		return false;
	text_begin(&text, link, sizeof(link));
	text_add(&text, "/proc/self/fd/%d", (int)fd);
	n = kernel_call(SYS_readlink, link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = 0;
	text_begin(&text, own, sizeof(own));
	text_add(&text, "/proc/%d/", curproc()->p_pid);
	last = strrchr(path, '/');
	return !strncmp(path, own, strlen(own)) && (!strcmp(last, "/fd") || !strcmp(last, "/fdinfo"));
}

/** Of one entry: its size, and whether it is one of libcr's own. linux_dirent and linux_dirent64 begin alike; the second has its type in front of the name. */
static long look_at_entry(const struct lwp *lwp, uint64_t at, size_t name, bool *hidden)
{
	char text[12] = "";
	uint16_t size;
	uint32_t fd = 0;
	unsigned i = 0;

	if (copyin(&size, at + 16, 2) || size <= name || copyin(text, at + name, size - name < sizeof(text) ? size - name : sizeof(text)))
		return -EFAULT;
	for (; i < sizeof(text) && text[i] >= '0' && text[i] <= '9'; i++)
		fd = fd * 10 + (uint32_t)(text[i] - '0');
	*hidden = i && i < sizeof(text) && !text[i] && is_own(lwp, fd);
	return size;
}

/** Takes libcr's out of `size` bytes of entries. How many are left; -EFAULT. */
static long hide(const struct lwp *lwp, uint64_t entries, long size, size_t name)
{
	long to = 0, from = 0;

	while (from < size) {
		bool hidden;
		long length = look_at_entry(lwp, entries + (uint64_t)from, name, &hidden);

		if (length < 0)
			return length;
		if (!hidden && from != to && user_copy((void *)(entries + (uint64_t)to), (const void *)(entries + (uint64_t)from), (size_t)length))
			return -EFAULT;
		to += hidden ? 0 : length;
		from += length;
	}
	return to;
}

static long own_getdents(struct lwp *lwp, struct trapframe *tf)
{
	long size = program_wait(lwp, tf), left = size;

	while (size > 0 && own_any && lists_descriptors((uint32_t)tf->tf_rdi)) {
		left = hide(lwp, tf->tf_rsi, size, tf->tf_number == SYS_getdents64 ? 19 : 18);
		if (left)
			return left;
		left = size = program_pass(lwp, tf); /* nothing is left, which would be the end */
	}
	return left;
}

const struct call_entry own_calls[] = {
	{SYS_getrlimit, own_limit},
	{SYS_setrlimit, own_limit},
	{SYS_prlimit64, own_limit},
	{SYS_getdents, own_getdents},
	{SYS_getdents64, own_getdents},
	{0},
};
