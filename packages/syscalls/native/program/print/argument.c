/*
 * argument.c - one argument of a call as strace shows it, by what the table says that it is.
 */
#define WITH_CALL_ARGUMENTS
#include "trace.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PATH_SHOWN 4096

const struct call_arguments *arguments_of(uint64_t number)
{
	static const struct call_arguments unknown = {6, {{FORMAT_HEX, 0, 0}, {FORMAT_HEX, 0, 0}, {FORMAT_HEX, 0, 0}, {FORMAT_HEX, 0, 0}, {FORMAT_HEX, 0, 0}, {FORMAT_HEX, 0, 0}}};

	return call_name(number) ? &call_arguments[number] : &unknown;
}

static bool makes_file(uint64_t flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

static unsigned of_futex(uint64_t operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAKE: return 3;
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI: return 4;
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI: return 2;
	case FUTEX_WAKE_BITSET: return 4;
	case FUTEX_WAIT_BITSET:
	case FUTEX_REQUEUE: return 5;
	default: return 6;
	}
}

static bool makes_device(uint64_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

unsigned arguments_shown(const struct traced *call, const struct call_arguments *what)
{
	switch (call->number) {
	case SYS_open: return makes_file(call->values[1]) ? 3 : 2;
	case SYS_openat: return makes_file(call->values[2]) ? 4 : 3;
	case SYS_fcntl: return arguments_of_fcntl(call->values[1]);
	case SYS_futex: return of_futex(call->values[1]);
	case SYS_prctl: return arguments_of_prctl(call->values[0]);
	case SYS_mknod: return makes_device(call->values[1]) ? 3 : 2;
	case SYS_mknodat: return makes_device(call->values[2]) ? 4 : 3;
	case SYS_ioctl: return ioctl_is_alone(call->values[1]) ? 2 : 3;
	case SYS_mremap: return call->values[3] & MREMAP_FIXED ? 5 : 4;
	default: return what->n;
	}
}

static void show_clone(struct text *text, const struct traced *call)
{
	const uint64_t flags = call->values[0] & ~0xffull, sig = call->values[0] & 0xff;

	text_add(text, "child_stack=");
	show_address(text, call->values[1]);
	text_add(text, TRACE_NEXT "flags=");
	if (flags || !sig)
		show_flags(text, SET_CLONE, flags);
	if (flags && sig)
		text_char(text, '|');
	if (sig)
		show_signal(text, sig);
	if (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD))
		text_add(text, TRACE_NEXT "parent_tid=[%d]", (int)call->result);
	if (flags & CLONE_SETTLS)
		text_add(text, TRACE_NEXT "tls=0x%lx", call->values[4]);
	if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
		text_add(text, TRACE_NEXT "child_tidptr=");
		show_address(text, call->values[3]);
	}
}

static void show_environment(struct text *text, uint64_t address)
{
	uint64_t word;
	unsigned n = 0;

	show_address(text, address);
	if (!address)
		return;
	while (!copyin(&word, address + 8 * n, 8) && word)
		n++;
	text_add(text, n == 1 ? " /* %u var */" : " /* %u vars */", n);
}

static void show_futex(struct text *text, uint64_t operation)
{
	show_flags(text, SET_FUTEX, operation & FUTEX_CMD_MASK);
	if (operation & FUTEX_PRIVATE_FLAG)
		text_add(text, "_PRIVATE");
	if (operation & FUTEX_CLOCK_REALTIME)
		text_add(text, "|FUTEX_CLOCK_REALTIME");
}

/** FUTEX_WAIT_BITSET and FUTEX_WAKE_BITSET have it as their sixth argument, and it is shown as the last. */
static void show_bitset(struct text *text, const struct traced *call)
{
	if ((uint32_t)call->values[5] == FUTEX_BITSET_MATCH_ANY)
		text_add(text, "FUTEX_BITSET_MATCH_ANY");
	else
		show_hex(text, (uint32_t)call->values[5]);
}

static bool has_timeout(uint64_t operation)
{
	const uint64_t command = operation & FUTEX_CMD_MASK;

	return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2;
}

/** A socket option's value: an int, mostly. */
static void show_option(struct text *text, const struct traced *call, uint64_t address, int length)
{
	const bool of_socket = call->values[1] == SOL_SOCKET;
	struct linger linger;
	struct ucred peer;
	int value;

	if (of_socket && call->values[2] == SO_LINGER && length == sizeof(linger) && !copyin(&linger, address, sizeof(linger)))
		text_add(text, "{l_onoff=%d, l_linger=%d}", linger.l_onoff, linger.l_linger);
	else if (of_socket && call->values[2] == SO_PEERCRED && length == sizeof(peer) && !copyin(&peer, address, sizeof(peer)))
		text_add(text, "{pid=%d, uid=%u, gid=%u}", peer.pid, peer.uid, peer.gid);
	else if (length == sizeof(value) && !copyin(&value, address, sizeof(value)))
		text_add(text, "[%d]", value);
	else
		show_bytes(text, address, length < 0 ? 0 : (uint64_t)length, DATA_SHOWN);
}

static int read_int(uint64_t address)
{
	int value = 0;

	return copyin(&value, address, sizeof(value)) ? 0 : value;
}

static void show_length(struct text *text, const struct traced *call, uint64_t address)
{
	int now;

	if (!address || copyin(&now, address, sizeof(now)))
		show_address(text, address);
	else if (call->result < 0 || now == call->length)
		text_add(text, "[%d]", call->length);
	else
		text_add(text, "[%d => %d]", call->length, now);
}

/** A handler's end: the mask in the frame, which lies at its stack pointer. */
static void show_sigreturn(struct text *text, uint64_t frame)
{
	uint64_t mask;

	if (copyin(&mask, frame + offsetof(ucontext_t, uc_sigmask), sizeof(mask)))
		return;
	text_add(text, "{mask=");
	show_signal_set(text, mask);
	text_char(text, '}');
}

/** What the kernel has written, of a call that did not fail; false: it is not known what. */
static bool show_written(struct text *text, const struct traced *call, unsigned format, unsigned i)
{
	const uint64_t value = call->values[i], n = (uint64_t)call->result;

	switch (format) {
	case FORMAT_DATA_OUT: call->number == SYS_getrandom ? show_bytes_hex(text, value, n, DATA_SHOWN) : show_bytes(text, value, n, DATA_SHOWN); return true;
	case FORMAT_CWD: show_string(text, value, PATH_SHOWN); return true;
	case FORMAT_IOV_OUT: show_iov(text, value, call->values[i + 1], n); return true;
	case FORMAT_SOCKADDR: {
		int length = read_int(call->values[i + 1]);

		return show_sockaddr(text, value, (uint64_t)(length < call->length ? length : call->length));
	}
	case FORMAT_OPTION_OUT: show_option(text, call, value, read_int(call->values[i + 1])); return true;
	case FORMAT_MESSAGE: return show_message(text, value, true, call->result);
	case FORMAT_MESSAGES: return show_messages(text, value, n, true);
	case FORMAT_EPOLL_EVENTS: return show_epoll_events(text, value, n, true);
	default: return show_struct(text, call, format, value);
	}
}

/** What the program has written. */
static bool show_given(struct text *text, const struct traced *call, unsigned format, unsigned i)
{
	const uint64_t value = call->values[i], n = i < 5 ? call->values[i + 1] : 0;

	switch (format) {
	case FORMAT_DATA_IN: show_bytes(text, value, n, DATA_SHOWN); return true;
	case FORMAT_IOV_IN: show_iov(text, value, n, UINT64_MAX); return true;
	case FORMAT_POLLFDS: return show_pollfds(text, value, n, true);
	case FORMAT_FD_SET: return show_fd_set(text, value, call->values[0]);
	case FORMAT_SOCKADDR: return show_sockaddr(text, value, n);
	case FORMAT_OPTION: show_option(text, call, value, (int)n); return true;
	case FORMAT_MESSAGE: return show_message(text, value, false, 0);
	case FORMAT_EPOLL_EVENT: return show_epoll_events(text, value, 1, false);
	case FORMAT_ARGV: show_argv(text, value); return true;
	case FORMAT_ENVIRONMENT: show_environment(text, value); return true;
	default: return show_struct(text, call, format, value);
	}
}

static void show_pointer(struct text *text, const struct traced *call, const struct call_argument *argument, unsigned i)
{
	const uint64_t value = call->values[i];
	bool shown = false;

	if (argument->format == FORMAT_REMAINING) /* written only where a signal has ended the sleep */
		shown = value && call->result == -EINTR && show_struct(text, call, FORMAT_TIMESPEC, value);
	else if (value)
		shown = argument->out ? call->result >= 0 && show_written(text, call, argument->format, i) : show_given(text, call, argument->format, i);
	if (!shown)
		show_address(text, value);
}

static void show_socket_option(struct text *text, uint64_t level, uint64_t option)
{
	switch (level) {
	case SOL_SOCKET: show_flags(text, SET_SOCKET_OPTION, option); break;
	case 0 /* SOL_IP */: show_flags(text, SET_IP_OPTION, option); break;
	case 6 /* SOL_TCP */: show_flags(text, SET_TCP_OPTION, option); break;
	case 41 /* SOL_IPV6 */: show_flags(text, SET_IPV6_OPTION, option); break;
	default: text_add(text, "%d", (int)option);
	}
}

void show_argument(struct text *text, const struct traced *call, const struct call_argument *argument, unsigned i)
{
	const uint64_t value = call->values[i];

	switch (argument->format) {
	case FORMAT_FD: text_add(text, (int)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int)value); break;
	case FORMAT_ID:
	case FORMAT_INT: text_add(text, "%d", (int)value); break;
	case FORMAT_LONG: text_add(text, "%ld", (long)value); break;
	case FORMAT_SIZE: text_add(text, "%lu", value); break;
	case FORMAT_HEX: show_hex(text, value); break;
	case FORMAT_OCTAL: show_octal(text, (uint32_t)value); break;
	case FORMAT_FILE_MODE: show_mode(text, (uint32_t)value); break;
	case FORMAT_DEVICE: show_device(text, value); break;
	case FORMAT_FLAGS: argument->set == SET_IOCTL ? show_request(text, value) : show_flags(text, argument->set, value); break;
	case FORMAT_SIGNAL: show_signal(text, value); break;
	case FORMAT_PATH:
	case FORMAT_TEXT: show_string(text, value, PATH_SHOWN); break;
	case FORMAT_FUTEX: show_futex(text, value); break;
	case FORMAT_FUTEX_TIMEOUT:
		if ((call->values[1] & FUTEX_CMD_MASK) == FUTEX_WAKE_BITSET)
			show_bitset(text, call);
		else if (!has_timeout(call->values[1]))
			text_add(text, "%d", (int)value);
		else if (!value || !show_struct(text, call, FORMAT_TIMESPEC, value))
			show_address(text, value);
		break;
	case FORMAT_FUTEX_SECOND:
		if ((call->values[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
			show_bitset(text, call);
		else
			show_address(text, value);
		break;
	case FORMAT_PROTOCOL:
		if (call->values[0] == AF_INET || call->values[0] == AF_INET6)
			show_flags(text, SET_PROTOCOL, value);
		else
			text_add(text, "%d", (int)value);
		break;
	case FORMAT_SOCKET_LEVEL: show_flags(text, SET_SOCKET_LEVEL, value); break;
	case FORMAT_SOCKET_OPTION: show_socket_option(text, call->values[1], value); break;
	case FORMAT_IPC_KEY: show_ipc_key(text, value); break;
	case FORMAT_IPC_FLAGS: show_ipc_flags(text, value); break;
	case FORMAT_FCNTL_ARGUMENT: show_fcntl(text, call, value); break;
	case FORMAT_IOCTL_ARGUMENT: show_ioctl(text, call, value); break;
	case FORMAT_PRCTL: show_prctl(text, call, value); break;
	case FORMAT_SIGRETURN: show_sigreturn(text, value); break;
	case FORMAT_CLONE: show_clone(text, call); break;
	case FORMAT_LENGTH_OUT: show_length(text, call, value); break;
	default: show_pointer(text, call, argument, i);
	}
}
