/*
 * messages.c - struct msghdr out of a JavaScript array: [address, buffers, control, header].
 *
 * Each pointer in it is a buffer's, with the buffer's own length: no address is taken from JavaScript's bytes. header gets what the kernel
 * says: four words of 32 bits, the bytes of the address and of the control messages, the flags, the bytes of data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

#define HEADER_BYTES 16

/** A buffer, or nothing for null. Answers 0, or -1 where it is neither. */
static int optional_buffer(napi_env env, napi_value value, char **data, size_t *length)
{
	napi_valuetype type;

	*data = NULL;
	*length = 0;
	if (napi_typeof(env, value, &type) != napi_ok)
		return -1;
	return type == napi_null || type == napi_undefined ? 0 : buffer_of(env, value, data, length);
}

int message_of(struct environment *environment, napi_value value, struct marshalled *out, int i)
{
	napi_env env = environment->env;
	napi_value parts[4];
	char *name, *control, *header;
	size_t name_length, control_length, header_length;
	uint32_t count;
	bool is;

	if (environment->messages == NULL)
		environment->messages = calloc(MESSAGES, sizeof *environment->messages);
	if (environment->messages == NULL || out->message_count == MESSAGES)
		return ANSWER_BAD_RANGE - i;
	if (napi_is_array(env, value, &is) != napi_ok || !is || napi_get_array_length(env, value, &count) != napi_ok || count != 4)
		return ANSWER_BAD_TYPE - i;
	for (uint32_t k = 0; k < 4; k++)
		if (napi_get_element(env, value, k, &parts[k]) != napi_ok)
			return ANSWER_BAD_TYPE - i;
	int first = out->iov_count;
	int answer = iov_append(environment, parts[1], out, i);
	if (answer == ANSWER_BAD_RANGE - i && first == 0)
		return -EMSGSIZE; /* too many: the kernel's answer */
	if (answer)
		return answer;
	if (optional_buffer(env, parts[0], &name, &name_length) != 0 || optional_buffer(env, parts[2], &control, &control_length) != 0 ||
	    buffer_of(env, parts[3], &header, &header_length) != 0)
		return ANSWER_BAD_TYPE - i;
	if (header_length < HEADER_BYTES || name_length > INT32_MAX)
		return ANSWER_BAD_RANGE - i;

	struct mmsghdr *message = &environment->messages[out->message_count];
	memset(message, 0, sizeof *message);
	message->msg_hdr.msg_name = name;
	message->msg_hdr.msg_namelen = (socklen_t)name_length;
	message->msg_hdr.msg_iov = environment->iov + first;
	message->msg_hdr.msg_iovlen = (size_t)(out->iov_count - first);
	message->msg_hdr.msg_control = control;
	message->msg_hdr.msg_controllen = control_length;
	out->headers[out->message_count++] = header;
	out->args[i] = (long)environment->messages;
	return 0;
}

int messages_of(struct environment *environment, napi_value value, struct marshalled *out, int i)
{
	napi_env env = environment->env;
	uint32_t count;
	bool is;

	if (napi_is_array(env, value, &is) != napi_ok || !is || napi_get_array_length(env, value, &count) != napi_ok)
		return ANSWER_BAD_TYPE - i;
	if (count > MESSAGES)
		return ANSWER_BAD_RANGE - i;
	out->args[i] = (long)environment->messages; /* none: the kernel does not look */
	for (uint32_t k = 0; k < count; k++) {
		napi_value element;
		int answer;

		if (napi_get_element(env, value, k, &element) != napi_ok)
			return ANSWER_BAD_TYPE - i;
		answer = message_of(environment, element, out, i);
		if (answer)
			return answer;
	}
	return 0;
}

void messages_deliver(const struct environment *environment, const struct marshalled *call)
{
	for (int k = 0; k < call->message_count; k++) {
		const struct mmsghdr *message = &environment->messages[k];
		uint32_t header[4] = {
			message->msg_hdr.msg_namelen,
			(uint32_t)message->msg_hdr.msg_controllen,
			(uint32_t)message->msg_hdr.msg_flags,
			message->msg_len,
		};
		memcpy(call->headers[k], header, sizeof header);
	}
}
