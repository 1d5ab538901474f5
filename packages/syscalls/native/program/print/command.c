/*
 * command.c - fcntl and ioctl as strace shows them: calls whose command says what the next argument is.
 */
#include "trace.h"

#include <fcntl.h>
#include <sys/ioctl.h>

unsigned arguments_of_fcntl(uint64_t command)
{
	switch (command) {
	case F_GETFD:
	case F_GETFL:
	case F_GETOWN:
	case F_GETSIG:
	case F_GETLEASE:
	case F_GETPIPE_SZ:
	case F_GET_SEALS: return 2;
	default: return 3;
	}
}

bool ioctl_is_alone(uint64_t request)
{
	switch ((uint32_t)request) {
	case FIOCLEX:
	case FIONCLEX:
	case TIOCEXCL:
	case TIOCNXCL:
	case TIOCNOTTY: return true;
	default: return false;
	}
}

static bool show_lock(struct text *text, uint64_t address, bool pid)
{
	struct flock lock;

	if (copyin(&lock, address, sizeof(lock)))
		return false;
	text_add(text, "{l_type=");
	show_flags(text, SET_LOCK, (uint16_t)lock.l_type);
	text_add(text, ", l_whence=");
	show_flags(text, SET_WHENCE, (uint16_t)lock.l_whence);
	text_add(text, ", l_start=%ld, l_len=%ld", lock.l_start, lock.l_len);
	if (pid)
		text_add(text, ", l_pid=%d", lock.l_pid);
	text_char(text, '}');
	return true;
}

void show_fcntl(struct text *text, const struct traced *call, uint64_t value)
{
	struct f_owner_ex owner;

	switch (call->values[1]) {
	case F_SETFD: show_flags(text, SET_FD_FLAGS, value); break;
	case F_SETFL: show_flags(text, SET_OPEN, value); break;
	case F_ADD_SEALS: show_flags(text, SET_SEALS, value); break;
	case F_SETSIG: show_signal(text, value); break;
	case F_SETLEASE: show_flags(text, SET_LOCK, value); break;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETOWN:
	case F_SETPIPE_SZ: text_add(text, "%d", (int)value); break;
	case F_GETOWN_EX:
	case F_SETOWN_EX:
		if (copyin(&owner, value, sizeof(owner))) {
			show_address(text, value);
			break;
		}
		text_add(text, "{type=");
		show_flags(text, SET_OWNER_TYPE, (uint32_t)owner.type);
		text_add(text, ", pid=%d}", owner.pid);
		break;
	case F_GETLK:
	case F_OFD_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		if (!show_lock(text, value, call->values[1] == F_GETLK || call->values[1] == F_OFD_GETLK))
			show_address(text, value);
		break;
	default: show_hex(text, value);
	}
}

void show_ioctl(struct text *text, const struct traced *call, uint64_t address)
{
	struct winsize size;
	int value;

	if (!flags_has_name(SET_IOCTL, call->values[1])) {
		show_hex(text, address);
		return;
	}
	switch ((uint32_t)call->values[1]) {
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		if (call->result < 0 || copyin(&size, address, sizeof(size)))
			break;
		text_add(text, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);
		return;
	case FIONREAD:
	case TIOCGPGRP:
		if (call->result < 0)
			break;
		__attribute__((fallthrough));
	case FIONBIO:
	case FIOASYNC:
	case TIOCSPGRP:
		if (copyin(&value, address, sizeof(value)))
			break;
		text_add(text, "[%d]", value);
		return;
	}
	show_address(text, address);
}

/** _IOC(_IOC_READ, 0x54, 0x1, 0x4): of a number without a name. */
void show_request(struct text *text, uint64_t request)
{
	static const char *const directions[] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"};

	if (flags_has_name(SET_IOCTL, request)) {
		show_flags(text, SET_IOCTL, request);
		return;
	}
	text_add(text, "_IOC(%s, ", directions[request >> 30 & 3]);
	show_hex(text, request >> 8 & 0xff);
	text_add(text, ", ");
	show_hex(text, request & 0xff);
	text_add(text, ", ");
	show_hex(text, request >> 16 & 0x3fff);
	text_char(text, ')');
}
