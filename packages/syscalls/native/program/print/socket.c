/*
 * socket.c - addresses and messages of sockets as strace shows them.
 */
#include "trace.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONTROL_SHOWN 16 /* descriptors */

static void add_inet(struct text *text, uint64_t address, const struct sockaddr_in *in)
{
	const unsigned char *byte = (const unsigned char *)&in->sin_addr;

	(void)address;
	text_add(text, "sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")", __builtin_bswap16(in->sin_port), byte[0], byte[1], byte[2], byte[3]);
}

/** Groups of four digits; the longest run of zeros, of two at least, is "::". */
static void add_inet6_text(struct text *text, const struct in6_addr *address)
{
	unsigned from = 8, length = 1;

	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && !address->s6_addr16[i + n])
			n++;
		if (n > length) {
			from = i;
			length = n;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == from) {
			text_add(text, "::");
			i += length - 1;
			continue;
		}
		text_add(text, i && i != from + length ? ":%x" : "%x", __builtin_bswap16(address->s6_addr16[i]));
	}
}

static void add_inet6(struct text *text, const struct sockaddr_in6 *in)
{
	text_add(text, "sin6_port=htons(%u), sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, \"", __builtin_bswap16(in->sin6_port), __builtin_bswap32(in->sin6_flowinfo));
	add_inet6_text(text, &in->sin6_addr);
	text_add(text, "\", &sin6_addr), sin6_scope_id=%u", in->sin6_scope_id);
}

static void add_unix(struct text *text, uint64_t address, uint64_t length)
{
	const uint64_t path = address + offsetof(struct sockaddr_un, sun_path), n = length - offsetof(struct sockaddr_un, sun_path);
	char first;

	if (copyin(&first, path, 1))
		return;
	text_add(text, first ? "sun_path=" : "sun_path=@");
	if (first)
		show_string(text, path, n);
	else
		show_bytes(text, path + 1, n - 1, n - 1);
}

bool show_sockaddr(struct text *text, uint64_t address, uint64_t length)
{
	union {
		sa_family_t family;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name;
	size_t size = length < sizeof(name) ? length : sizeof(name);

	memset(&name, 0, sizeof(name));
	if (!address || length < sizeof(sa_family_t) || copyin(&name, address, size))
		return false;
	text_add(text, "{sa_family=");
	show_flags(text, SET_FAMILY, name.family);
	if (name.family == AF_INET && length >= sizeof(name.in)) {
		text_add(text, ", ");
		add_inet(text, address, &name.in);
	} else if (name.family == AF_INET6 && length >= sizeof(name.in6)) {
		text_add(text, ", ");
		add_inet6(text, &name.in6);
	} else if (name.family == AF_UNIX && length > sizeof(sa_family_t)) {
		text_add(text, ", ");
		add_unix(text, address, length);
	} else if (name.family != AF_UNIX && length > sizeof(sa_family_t)) {
		text_add(text, ", sa_data=");
		show_bytes(text, address + sizeof(sa_family_t), length - sizeof(sa_family_t), DATA_SHOWN);
	}
	text_char(text, '}');
	return true;
}

static void show_control(struct text *text, uint64_t address, uint64_t length)
{
	struct cmsghdr header;
	bool any = false;

	text_add(text, ", msg_control=[");
	for (uint64_t at = 0; length - at >= sizeof(header) && !copyin(&header, address + at, sizeof(header)); any = true) {
		int fds[CONTROL_SHOWN];
		uint64_t bytes = header.cmsg_len - sizeof(header);

		if (header.cmsg_len < sizeof(header) || header.cmsg_len > length - at)
			break;
		text_add(text, any ? ", {cmsg_len=%lu, cmsg_level=" : "{cmsg_len=%lu, cmsg_level=", (uint64_t)header.cmsg_len);
		show_flags(text, SET_SOCKET_LEVEL, (uint32_t)header.cmsg_level);
		if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS && bytes <= sizeof(fds) && !copyin(fds, address + at + sizeof(header), bytes)) {
			text_add(text, ", cmsg_type=SCM_RIGHTS, cmsg_data=[");
			for (unsigned i = 0; i < bytes / sizeof(int); i++)
				text_add(text, i ? ", %d" : "%d", fds[i]);
			text_add(text, "]}");
		} else {
			text_add(text, ", cmsg_type=0x%x}", (unsigned)header.cmsg_type);
		}
		at += (header.cmsg_len + 7) & ~7ull;
		if (at > length)
			break;
	}
	text_char(text, ']');
}

bool show_messages(struct text *text, uint64_t address, uint64_t n, bool out)
{
	struct mmsghdr message;

	if (n && copyin(&message, address, sizeof(message)))
		return false;
	text_char(text, '[');
	for (uint64_t i = 0; i < n; i++) {
		text_add(text, i ? ", " : "");
		if (i == DATA_SHOWN || copyin(&message, address + i * sizeof(message), sizeof(message))) {
			text_add(text, "...");
			break;
		}
		text_add(text, "{msg_hdr=");
		show_message(text, address + i * sizeof(message), out, (long)message.msg_len);
		text_add(text, ", msg_len=%u}", message.msg_len);
	}
	text_char(text, ']');
	return true;
}

bool show_message(struct text *text, uint64_t address, bool out, long result)
{
	struct msghdr message;

	if (copyin(&message, address, sizeof(message)) || (out && result < 0))
		return false;
	text_add(text, "{msg_name=");
	if (!message.msg_namelen || !show_sockaddr(text, (uint64_t)message.msg_name, message.msg_namelen))
		show_address(text, (uint64_t)message.msg_name);
	text_add(text, ", msg_namelen=%u, msg_iov=", message.msg_namelen);
	show_iov(text, (uint64_t)message.msg_iov, message.msg_iovlen, out ? (uint64_t)result : UINT64_MAX);
	text_add(text, ", msg_iovlen=%lu", (uint64_t)message.msg_iovlen);
	if (message.msg_control && message.msg_controllen)
		show_control(text, (uint64_t)message.msg_control, message.msg_controllen);
	text_add(text, ", msg_controllen=%lu, msg_flags=", (uint64_t)message.msg_controllen);
	show_flags(text, SET_MESSAGE, (uint32_t)(message.msg_flags));
	text_char(text, '}');
	return true;
}
