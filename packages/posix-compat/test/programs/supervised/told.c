/*
 * told.c - makes the system calls that it is told: told CHANNELS. A thread for each channel reads from descriptor 3, 4, ... what call to make, makes it, and writes back what
 * it has answered, with all the memory that it pointed to. made-by-program.ts is the other end.
 *
 * Each says a byte when it is there. A request: how many bytes follow, the call's number, and six arguments. An argument: its kind; a number, or lengths with the bytes, padded to eight, with a zero
 * behind them. The kernel is given the bytes where they lie in the request. The answer: the call's, four words about each message, and the request's bytes as they are then.
 *
 * It makes no other calls than those of the requests and those by which they come.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHANNELS_MAX 16
#define SIZE 0x40000
#define PARTS 1024
#define FIRST 3
#define MESSAGES_MAX 16
#define NOTHING UINT64_MAX

enum kind { NUMBER, BYTES, BUFFERS, MESSAGE, MESSAGES };

struct channel {
	uint64_t request[SIZE / 8];
	struct iovec parts[PARTS];
	size_t n_parts;
	struct mmsghdr messages[MESSAGES_MAX];
	size_t n_messages;
};
static struct channel channels[CHANNELS_MAX];

static long call(long number, const long args[6])
{
	register long r10 __asm__("r10") = args[3];
	register long r8 __asm__("r8") = args[4];
	register long r9 __asm__("r9") = args[5];
	long result;

	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(number), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return result;
}

static int whole(int fd, const void *data, size_t size, int writes)
{
	for (size_t done = 0; done < size;) {
		const long n = call(writes ? SYS_write : SYS_read, (long[6]){fd, (long)data + (long)done, (long)(size - done)});
		if (n <= 0)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

/** Bytes at *at, which goes behind them. */
static struct iovec bytes(uint64_t **at)
{
	const uint64_t length = *(*at)++;
	struct iovec part = {*at, length};

	if (length == NOTHING)
		return (struct iovec){NULL, 0};
	*at += length / 8 + 1;
	return part;
}

static struct iovec *buffers(struct channel *channel, uint64_t **at, size_t *n)
{
	struct iovec *parts = channel->parts + channel->n_parts;

	*n = (size_t) * (*at)++;
	for (size_t i = 0; i < *n; i++)
		parts[i] = bytes(at);
	channel->n_parts += *n;
	return parts;
}

static struct mmsghdr *message(struct channel *channel, uint64_t **at)
{
	struct mmsghdr *message = &channel->messages[channel->n_messages++];
	struct msghdr *header = &message->msg_hdr;
	struct iovec piece = bytes(at);

	*message = (struct mmsghdr){0};
	header->msg_name = piece.iov_base;
	header->msg_namelen = (socklen_t)piece.iov_len;
	piece = bytes(at);
	header->msg_control = piece.iov_base;
	header->msg_controllen = piece.iov_len;
	header->msg_iov = buffers(channel, at, &header->msg_iovlen);
	return message;
}

static long argument(struct channel *channel, uint64_t **at)
{
	struct mmsghdr *first = channel->messages + channel->n_messages;
	size_t n;

	switch (*(*at)++) {
	case BYTES: return (long)bytes(at).iov_base;
	case BUFFERS: return (long)buffers(channel, at, &n);
	case MESSAGE: return (long)&message(channel, at)->msg_hdr;
	case MESSAGES:
		for (n = (size_t) * (*at)++; n > 0; n--)
			message(channel, at);
		return (long)first;
	default: return (long)*(*at)++;
	}
}

static void *serve(void *arg)
{
	const int fd = FIRST + (int)(long)arg;
	struct channel *channel = &channels[(long)arg];
	uint64_t *request = channel->request;
	uint64_t size;

	whole(fd, "", 1, 1); /* it is there */
	while (whole(fd, &size, sizeof(size), 0) && size <= SIZE && whole(fd, request, size, 0)) {
		uint64_t *at = request + 1;
		const long number = (long)request[0];
		long args[6], head[1 + 4 * MESSAGES_MAX], *word = head;

		channel->n_parts = channel->n_messages = 0;
		for (int i = 0; i < 6; i++)
			args[i] = argument(channel, &at);
		*word++ = call(number, args);
		for (size_t i = 0; i < channel->n_messages; i++) {
			*word++ = channel->messages[i].msg_hdr.msg_namelen;
			*word++ = (long)channel->messages[i].msg_hdr.msg_controllen;
			*word++ = channel->messages[i].msg_hdr.msg_flags;
			*word++ = channel->messages[i].msg_len;
		}
		whole(fd, head, (size_t)(word - head) * sizeof(*head), 1);
		whole(fd, request, size, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const long n = argc > 1 ? atol(argv[1]) : 1;
	pthread_t threads[CHANNELS_MAX];

	for (long i = 1; i < n; i++)
		pthread_create(&threads[i], NULL, serve, (void *)i);
	serve(NULL);
	for (long i = 1; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
