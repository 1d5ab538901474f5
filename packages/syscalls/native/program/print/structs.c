/*
 * structs.c - the kernel's structs as strace shows them, abbreviated as it does.
 */
#include "trace.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <fcntl.h>

#define FD_SET_MAX 1024

static void add_timespec(struct text *text, const struct timespec *time)
{
	text_add(text, "{tv_sec=%ld, tv_nsec=%ld}", time->tv_sec, time->tv_nsec);
}

static void add_timeval(struct text *text, const struct timeval *time)
{
	text_add(text, "{tv_sec=%ld, tv_usec=%ld}", time->tv_sec, time->tv_usec);
}

static void add_stat(struct text *text, const struct stat *stat)
{
	text_add(text, "{st_mode=");
	show_mode(text, stat->st_mode);
	if (S_ISCHR(stat->st_mode) || S_ISBLK(stat->st_mode)) {
		text_add(text, ", st_rdev=");
		show_device(text, stat->st_rdev);
	} else {
		text_add(text, ", st_size=%ld", stat->st_size);
	}
	text_add(text, ", ...}");
}

static void add_statx(struct text *text, const struct statx *statx)
{
	text_add(text, "{stx_mask=");
	show_flags(text, SET_STATX, statx->stx_mask);
	text_add(text, ", stx_attributes=");
	show_flags(text, SET_STATX_ATTRIBUTES, statx->stx_attributes);
	text_add(text, ", stx_mode=");
	show_mode(text, statx->stx_mode);
	text_add(text, ", stx_size=%lu, ...}", (uint64_t)statx->stx_size);
}

static void add_status(struct text *text, int status)
{
	if (WIFEXITED(status)) {
		text_add(text, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", WEXITSTATUS(status));
	} else if (WIFSTOPPED(status)) {
		text_add(text, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		show_signal(text, (uint64_t)WSTOPSIG(status));
		text_add(text, "}]");
	} else if (WIFCONTINUED(status)) {
		text_add(text, "[{WIFCONTINUED(s)}]");
	} else {
		text_add(text, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		show_signal(text, (uint64_t)WTERMSIG(status));
		text_add(text, WCOREDUMP(status) ? " && WCOREDUMP(s)}]" : "}]");
	}
}

static void add_rusage(struct text *text, const struct rusage *usage)
{
	text_add(text, "{ru_utime=");
	add_timeval(text, &usage->ru_utime);
	text_add(text, ", ru_stime=");
	add_timeval(text, &usage->ru_stime);
	text_add(text, ", ...}");
}

static void add_sigaction(struct text *text, const struct sigact *act)
{
	text_add(text, "{sa_handler=");
	if (act->act_handler < 2)
		text_add(text, act->act_handler ? "SIG_IGN" : "SIG_DFL");
	else
		show_address(text, act->act_handler);
	text_add(text, ", sa_mask=");
	show_signal_set(text, act->act_mask);
	text_add(text, ", sa_flags=");
	show_flags(text, SET_SIGACTION, act->act_flags);
	if (act->act_flags & 0x04000000 /* SA_RESTORER */)
		text_add(text, ", sa_restorer=0x%lx", act->act_restorer);
	text_char(text, '}');
}

static void add_altstack(struct text *text, const struct altstack *stack)
{
	text_add(text, "{ss_sp=");
	show_address(text, stack->ss_sp);
	text_add(text, ", ss_flags=");
	show_flags(text, SET_ALTSTACK, (uint32_t)stack->ss_flags);
	text_add(text, ", ss_size=%lu}", stack->ss_size);
}

static void add_utsname(struct text *text, const struct utsname *name)
{
	text_add(text, "{sysname=\"%s\", nodename=\"%s\", ...}", name->sysname, name->nodename);
}

static void add_sysinfo(struct text *text, const struct sysinfo *info)
{
	text_add(text, "{uptime=%ld, loads=[%lu, %lu, %lu], totalram=%lu, freeram=%lu, sharedram=%lu, bufferram=%lu", info->uptime, info->loads[0], info->loads[1],
	         info->loads[2], info->totalram, info->freeram, info->sharedram, info->bufferram);
	text_add(text, ", totalswap=%lu, freeswap=%lu, procs=%u, totalhigh=%lu, freehigh=%lu, mem_unit=%u}", info->totalswap, info->freeswap, info->procs,
	         info->totalhigh, info->freehigh, info->mem_unit);
}

static void add_limit(struct text *text, uint64_t limit, const char *infinite)
{
	if (limit == UINT64_MAX)
		text_add(text, "%s", infinite);
	else
		text_add(text, limit > 1024 && limit % 1024 == 0 ? "%lu*1024" : "%lu", limit > 1024 && limit % 1024 == 0 ? limit / 1024 : limit);
}

bool show_rlimit(struct text *text, uint64_t address, const char *infinite)
{
	struct rlimit limit;

	if (copyin(&limit, address, sizeof(limit)))
		return false;
	text_add(text, "{rlim_cur=");
	add_limit(text, limit.rlim_cur, infinite);
	text_add(text, ", rlim_max=");
	add_limit(text, limit.rlim_max, infinite);
	text_char(text, '}');
	return true;
}

bool show_pollfds(struct text *text, uint64_t address, uint64_t n, bool events)
{
	struct pollfd fd;
	bool any = false;

	if (n && copyin(&fd, address, sizeof(fd)))
		return false;
	text_char(text, '[');
	for (uint64_t i = 0; i < n; i++) {
		if (i == DATA_SHOWN || copyin(&fd, address + i * sizeof(fd), sizeof(fd))) {
			text_add(text, ", ...");
			break;
		}
		if (!events && !fd.revents)
			continue;
		text_add(text, any ? ", {fd=%d" : "{fd=%d", fd.fd);
		any = true;
		if (fd.fd >= 0 || !events) {
			text_add(text, events ? ", events=" : ", revents=");
			show_flags(text, SET_POLL, (uint16_t)(events ? fd.events : fd.revents));
		}
		text_char(text, '}');
	}
	text_char(text, ']');
	return true;
}

bool show_fd_set(struct text *text, uint64_t address, uint64_t n)
{
	uint64_t words[FD_SET_MAX / 64];
	bool any = false;

	if (n > FD_SET_MAX)
		n = FD_SET_MAX;
	if (!address || copyin(words, address, (n + 63) / 64 * 8))
		return false;
	text_char(text, '[');
	for (unsigned fd = 0; fd < n; fd++)
		if (words[fd / 64] >> fd % 64 & 1) {
			text_add(text, any ? " %u" : "%u", fd);
			any = true;
		}
	text_char(text, ']');
	return true;
}

bool show_epoll_events(struct text *text, uint64_t address, uint64_t n, bool list)
{
	struct epoll_event event;

	if (n && copyin(&event, address, sizeof(event)))
		return false;
	if (list)
		text_char(text, '[');
	for (uint64_t i = 0; i < n; i++) {
		text_add(text, i ? ", " : "");
		if (i == DATA_SHOWN || copyin(&event, address + i * sizeof(event), sizeof(event))) {
			text_add(text, "...");
			break;
		}
		text_add(text, "{events=");
		show_flags(text, SET_EPOLL_EVENT, event.events);
		text_add(text, ", data={u32=%u, u64=%lu}}", event.data.u32, event.data.u64);
	}
	if (list)
		text_char(text, ']');
	return true;
}

/** Where directory entries end, how many there were. */
static bool show_dirents(struct text *text, uint64_t address, long bytes)
{
	unsigned n = 0;
	uint16_t length;

	for (long at = 0; at < bytes; at += length, n++)
		if (copyin(&length, address + (uint64_t)at + 16, sizeof(length)) || !length)
			return false;
	text_add(text, "0x%lx /* %u entries */", address, n);
	return true;
}

static bool show_pair(struct text *text, uint64_t address)
{
	int pair[2];

	if (copyin(pair, address, sizeof(pair)))
		return false;
	text_add(text, "[%d, %d]", pair[0], pair[1]);
	return true;
}

static bool show_set(struct text *text, uint64_t address)
{
	uint64_t mask;

	if (copyin(&mask, address, sizeof(mask)))
		return false;
	show_signal_set(text, mask);
	return true;
}

static bool show_long(struct text *text, uint64_t address)
{
	int64_t value;

	if (copyin(&value, address, sizeof(value)))
		return false;
	text_add(text, "[%ld]", value);
	return true;
}

static bool show_int(struct text *text, uint64_t address)
{
	int value;

	if (copyin(&value, address, sizeof(value)))
		return false;
	text_add(text, "[%d]", value);
	return true;
}

static bool show_timespecs(struct text *text, uint64_t address)
{
	struct timespec times[2];

	if (copyin(times, address, sizeof(times)))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		text_add(text, i ? ", " : "[");
		if (times[i].tv_nsec == UTIME_NOW || times[i].tv_nsec == UTIME_OMIT)
			text_add(text, times[i].tv_nsec == UTIME_NOW ? "UTIME_NOW" : "UTIME_OMIT");
		else
			add_timespec(text, &times[i]);
	}
	text_char(text, ']');
	return true;
}

static bool show_itimer(struct text *text, uint64_t address, bool spec)
{
	struct itimerval value;
	struct itimerspec times;

	if (spec ? copyin(&times, address, sizeof(times)) : copyin(&value, address, sizeof(value)))
		return false;
	text_add(text, "{it_interval=");
	if (spec)
		add_timespec(text, &times.it_interval);
	else
		add_timeval(text, &value.it_interval);
	text_add(text, ", it_value=");
	if (spec)
		add_timespec(text, &times.it_value);
	else
		add_timeval(text, &value.it_value);
	text_char(text, '}');
	return true;
}

static bool show_statfs(struct text *text, uint64_t address)
{
	struct statfs about;

	if (copyin(&about, address, sizeof(about)))
		return false;
	text_add(text, "{f_type=");
	show_flags(text, SET_STATFS_TYPE, (uint32_t)about.f_type);
	text_add(text, ", f_bsize=%ld, f_blocks=%lu, f_bfree=%lu, f_bavail=%lu, f_files=%lu, f_ffree=%lu, f_fsid={val=[", about.f_bsize, about.f_blocks, about.f_bfree,
	         about.f_bavail, about.f_files, about.f_ffree);
	show_hex(text, (uint32_t)about.f_fsid.__val[0]);
	text_add(text, ", ");
	show_hex(text, (uint32_t)about.f_fsid.__val[1]);
	text_add(text, "]}, f_namelen=%ld, f_frsize=%ld, f_flags=", about.f_namelen, about.f_frsize);
	show_flags(text, SET_STATFS_FLAGS, (uint64_t)about.f_flags);
	text_char(text, '}');
	return true;
}

/** An offset that the call moves on: [2] => [4]. */
static bool show_offset(struct text *text, const struct traced *call, uint64_t address)
{
	text_add(text, "[%ld]", call->offset);
	if (call->result <= 0)
		return true;
	text_add(text, " => ");
	return show_long(text, address);
}

static bool show_cpus(struct text *text, uint64_t address, long bytes)
{
	return bytes > 0 && show_fd_set(text, address, (uint64_t)bytes * 8);
}

#define SHOW(type, add)                                                                                                                                        \
	do {                                                                                                                                                   \
		type value;                                                                                                                                    \
		if (copyin(&value, address, sizeof(value)))                                                                                                    \
			return false;                                                                                                                          \
		add(text, &value);                                                                                                                             \
		return true;                                                                                                                                   \
	} while (0)

bool show_struct(struct text *text, const struct traced *call, unsigned format, uint64_t address)
{
	int status;

	switch (format) {
	case FORMAT_STAT: SHOW(struct stat, add_stat);
	case FORMAT_STATX: SHOW(struct statx, add_statx);
	case FORMAT_TIMESPEC: SHOW(struct timespec, add_timespec);
	case FORMAT_TIMEVAL: SHOW(struct timeval, add_timeval);
	case FORMAT_RUSAGE: SHOW(struct rusage, add_rusage);
	case FORMAT_SIGACTION: SHOW(struct sigact, add_sigaction);
	case FORMAT_ALTSTACK: SHOW(struct altstack, add_altstack);
	case FORMAT_UTSNAME: SHOW(struct utsname, add_utsname);
	case FORMAT_SYSINFO: SHOW(struct sysinfo, add_sysinfo);
	case FORMAT_ITIMERVAL: return show_itimer(text, address, false);
	case FORMAT_ITIMERSPEC: return show_itimer(text, address, true);
	case FORMAT_TIMESPECS: return show_timespecs(text, address);
	case FORMAT_PAIR: return show_pair(text, address);
	case FORMAT_SIGSET: return show_set(text, address);
	case FORMAT_OFFSET: return show_long(text, address);
	case FORMAT_INT_OUT:
	case FORMAT_ID_OUT: return show_int(text, address);
	case FORMAT_DIRENTS: return show_dirents(text, address, call->result);
	case FORMAT_CPUS: return show_cpus(text, address, call->number == SYS_sched_getaffinity ? call->result : (long)call->values[1]);
	case FORMAT_STATFS: return show_statfs(text, address);
	case FORMAT_OFFSET_IN_OUT: return show_offset(text, call, address);
	case FORMAT_SIGINFO: return show_siginfo(text, address);
	case FORMAT_SIGEVENT: return show_sigevent(text, address);
	case FORMAT_SIGSET_PACK: return show_sigset_pack(text, address);
	case FORMAT_TMS: return show_times(text, address);
	case FORMAT_SCHED_PARAM: return show_int(text, address);
	case FORMAT_SCHED_ATTR: return show_sched_attributes(text, address);
	case FORMAT_GROUPS: return show_groups(text, address, call->number == SYS_getgroups ? (call->values[0] ? (uint64_t)call->result : 0) : call->values[0]);
	case FORMAT_CLONE_ARGS: return show_clone_args(text, call, address);
	case FORMAT_SEMBUFS: return show_sembufs(text, address, call->values[2]);
	case FORMAT_MSGBUF: return show_msgbuf(text, address, call->number == SYS_msgrcv ? (uint64_t)call->result : call->values[2]);
	case FORMAT_RLIMIT: return show_rlimit(text, address, call->number == SYS_prlimit64 ? "RLIM64_INFINITY" : "RLIM_INFINITY");
	case FORMAT_WAIT_STATUS:
		if (call->result <= 0 || copyin(&status, address, sizeof(status)))
			return false;
		add_status(text, status);
		return true;
	default: return false;
	}
}
