/*
 * marshal.c - JavaScript values into the words of a system call, by the generated table.
 *
 * Every pointer and every length is checked here, against the buffer it belongs to, for sys.* and sys.raw alike: whatever
 * JavaScript passes, the kernel sees only memory that is there. Nothing here throws: answers say what is wrong, and JavaScript makes
 * the error from its side of the table.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/select.h>

#include "syscalls.h"

/** The row of a number that JavaScript gives, or NULL. */
static const struct call_row *row_of(double number)
{
	return number >= 0 && number <= INT_MAX && number == floor(number) ? call_row((long)number) : NULL;
}

int buffer_of(napi_env env, napi_value value, char **data, size_t *length)
{
	bool is;
	void *pointer;

	/* Node's buffer functions take every ArrayBufferView, at a third of the price of the typed array functions. */
	if (napi_is_buffer(env, value, &is) != napi_ok || !is)
		return -1;
	if (napi_get_buffer_info(env, value, &pointer, length) != napi_ok)
		return -1;
	*data = pointer;
	return 0;
}

static int is_null(napi_env env, napi_value value)
{
	napi_valuetype type;

	return napi_typeof(env, value, &type) == napi_ok && (type == napi_null || type == napi_undefined);
}

/** A number. 0, ANSWER_BAD_TYPE or ANSWER_BAD_RANGE. */
static int integer_of(napi_env env, napi_value value, long *out)
{
	double number;

	if (napi_get_value_double(env, value, &number) != napi_ok)
		return ANSWER_BAD_TYPE;
	if (!(fabs(number) <= 9007199254740991.0) || number != trunc(number))
		return ANSWER_BAD_RANGE;
	*out = (long)number;
	return 0;
}

/** A number, or a bigint of 64 bits. */
static int long_of(napi_env env, napi_value value, long *out)
{
	bool lossless;
	int64_t big;
	int answer = integer_of(env, value, out);

	if (answer != ANSWER_BAD_TYPE)
		return answer;
	if (napi_get_value_bigint_int64(env, value, &big, &lossless) != napi_ok)
		return ANSWER_BAD_TYPE;
	*out = big;
	return lossless ? 0 : ANSWER_BAD_RANGE;
}

static int int_of(napi_env env, napi_value value, long *out)
{
	int answer = integer_of(env, value, out);

	if (answer == 0 && (*out < INT_MIN || *out > UINT_MAX))
		answer = ANSWER_BAD_RANGE;
	return answer;
}

static int path_of(struct environment *environment, napi_value value, struct marshalled *out, int i)
{
	if (out->npaths == PATHS)
		return -EINVAL;
	char *path = environment->path[out->npaths++];
	char *bytes;
	size_t length;
	napi_status status = napi_get_value_string_utf8(environment->env, value, path, PATH_BYTES + 1, &length);

	/* A character that does not fit is left out, all of it: what seems to fit only just may have been cut. */
	if (status == napi_ok && length > PATH_BYTES - 4)
		status = napi_get_value_string_utf8(environment->env, value, NULL, 0, &length);
	if (status == napi_string_expected) {
		if (buffer_of(environment->env, value, &bytes, &length) != 0)
			return ANSWER_BAD_TYPE - i;
		if (length > 0 && length <= PATH_BYTES)
			memcpy(path, bytes, length);
	} else if (status != napi_ok) {
		return ANSWER_BAD_TYPE - i;
	}
	if (length >= PATH_BYTES)
		return -ENAMETOOLONG;
	if (memchr(path, 0, length) != NULL)
		return ANSWER_BAD_NUL - i;
	path[length] = 0;
	out->args[i] = (long)path;
	return 0;
}

int iov_append(struct environment *environment, napi_value value, struct marshalled *out, int i)
{
	napi_env env = environment->env;
	bool is;
	uint32_t count;

	if (napi_is_array(env, value, &is) != napi_ok || !is || napi_get_array_length(env, value, &count) != napi_ok)
		return ANSWER_BAD_TYPE - i;
	if (count > (uint32_t)(IOV_COUNT - out->iov_count))
		return ANSWER_BAD_RANGE - i;
	for (uint32_t k = 0; k < count; k++) {
		struct iovec *iov = &environment->iov[out->iov_count];
		napi_value element;
		char *data;

		if (napi_get_element(env, value, k, &element) != napi_ok || buffer_of(env, element, &data, &iov->iov_len) != 0)
			return ANSWER_BAD_TYPE - i;
		iov->iov_base = data;
		out->iov_count++;
	}
	return 0;
}

static int iov_of(struct environment *environment, napi_value value, struct marshalled *out, int i)
{
	int answer = iov_append(environment, value, out, i);

	out->args[i] = (long)environment->iov;
	return answer == ANSWER_BAD_RANGE - i ? -EINVAL : answer; /* too many: the kernel's answer */
}

/** The argument that a command or request takes: an int where size is 0, else a buffer of that many bytes. */
static int sized_of(struct environment *environment, napi_value value, struct marshalled *out, int i, int size)
{
	char *data;
	size_t length;

	if (size == 0) {
		int answer = int_of(environment->env, value, &out->args[i]);
		return answer ? answer - i : 0;
	}
	if (buffer_of(environment->env, value, &data, &length) != 0)
		return ANSWER_BAD_TYPE - i;
	if (length < (size_t)size)
		return ANSWER_BAD_RANGE - i;
	out->args[i] = (long)data;
	return 0;
}

/** A struct file_handle: the kernel reads, or fills, as many bytes as its first word says. */
static int file_handle_of(struct environment *environment, napi_value value, struct marshalled *out, int i)
{
	char *data;
	size_t length;
	uint32_t bytes;

	if (buffer_of(environment->env, value, &data, &length) != 0)
		return ANSWER_BAD_TYPE - i;
	if (length < FILE_HANDLE_HEADER)
		return ANSWER_BAD_RANGE - i;
	memcpy(&bytes, data, sizeof bytes);
	if (bytes > length - FILE_HANDLE_HEADER)
		return ANSWER_BAD_RANGE - i;
	out->args[i] = (long)data;
	return 0;
}

/** A struct with its own size inside, at offset; the kernel takes 0 for the smallest there has been. */
static int sized_struct_of(struct environment *environment, napi_value value, struct marshalled *out, int i, uint32_t offset)
{
	char *data;
	size_t length;
	uint32_t bytes;

	if (buffer_of(environment->env, value, &data, &length) != 0)
		return ANSWER_BAD_TYPE - i;
	if (length < SIZED_MINIMUM)
		return ANSWER_BAD_RANGE - i;
	memcpy(&bytes, data + offset, sizeof bytes);
	if (bytes > length)
		return ANSWER_BAD_RANGE - i;
	out->args[i] = (long)data;
	return 0;
}

/** A buffer whose length is the argument before, in pieces of size bytes. */
static int counted_of(struct environment *environment, napi_value value, struct marshalled *out, int i, uint32_t size)
{
	long count = out->args[i - 1];
	char *data;
	size_t length;

	if (buffer_of(environment->env, value, &data, &length) != 0)
		return ANSWER_BAD_TYPE - i;
	if (count < 0 || (size_t)count > length / size)
		return ANSWER_BAD_RANGE - i;
	out->args[i] = (long)data;
	return 0;
}

/** A byte for each page of the buffer before, whose length is the argument before. */
static int pages_out_of(struct environment *environment, napi_value value, struct marshalled *out, int i)
{
	char *data;
	size_t length;

	if (buffer_of(environment->env, value, &data, &length) != 0)
		return ANSWER_BAD_TYPE - i;
	if (length < pages_of(out->args[i - 1]))
		return ANSWER_BAD_RANGE - i;
	out->args[i] = (long)data;
	return 0;
}

int marshal(struct environment *environment, double number, napi_value *values, size_t nvalues, struct marshalled *out)
{
	napi_env env = environment->env;
	const struct call_row *row = row_of(number);
	size_t room = 0; /* bytes of the buffer seen last */
	char *data;

	if (row == NULL)
		return -ENOSYS;
	out->row = row;
	out->number = (long)number;
	out->npaths = out->iov_count = out->message_count = 0;
	for (int i = 0; i < row->nargs; i++) {
		napi_value value = (size_t)i < nvalues ? values[i] : NULL;
		uint32_t size = row->args[i].size;
		size_t length;
		int answer = 0;

		if (value == NULL)
			return ANSWER_BAD_TYPE - i;
		switch (row->args[i].kind) {
		case ARG_INT:
		case ARG_FD:
			answer = int_of(env, value, &out->args[i]);
			break;
		case ARG_LONG:
			answer = long_of(env, value, &out->args[i]);
			break;
		case ARG_PATH_NULLABLE:
			if (is_null(env, value)) {
				out->args[i] = 0;
				break;
			}
			/* fall through */
		case ARG_PATH:
			answer = path_of(environment, value, out, i);
			if (answer)
				return answer;
			break;
		case ARG_OUT_NULLABLE:
		case ARG_IN_NULLABLE:
		case ARG_STRUCT_IN_NULLABLE:
		case ARG_STRUCT_OUT_NULLABLE:
		case ARG_STRUCT_INOUT_NULLABLE:
			if (is_null(env, value)) {
				out->args[i] = 0;
				room = 0;
				break;
			}
			/* fall through */
		case ARG_OUT:
		case ARG_IN:
		case ARG_INOUT:
		case ARG_STRUCT_OUT:
		case ARG_STRUCT_IN:
		case ARG_STRUCT_INOUT:
			if (buffer_of(env, value, &data, &room) != 0)
				return ANSWER_BAD_TYPE - i;
			if (room < size)
				return ANSWER_BAD_RANGE - i;
			out->args[i] = (long)data;
			break;
		case ARG_LENGTH:
		case ARG_COUNT:
			answer = integer_of(env, value, &out->args[i]);
			if (row->args[i].kind == ARG_LENGTH)
				room = room > size ? room - size : 0;
			else
				room /= size;
			if (answer == 0 && (out->args[i] < 0 || (size_t)out->args[i] > room))
				answer = ANSWER_BAD_RANGE;
			break;
		case ARG_LENGTH_POINTER:
			if (out->args[i - 1] == 0 && is_null(env, value)) {
				out->args[i] = 0;
				break;
			}
			if (buffer_of(env, value, &data, &length) != 0)
				return ANSWER_BAD_TYPE - i;
			int32_t used;
			if (length < sizeof used)
				return ANSWER_BAD_RANGE - i;
			memcpy(&used, data, sizeof used);
			if (used < 0 || (size_t)used > room)
				return ANSWER_BAD_RANGE - i;
			out->args[i] = (long)data;
			break;
		case ARG_IOV_OUT:
		case ARG_IOV_IN:
			answer = iov_of(environment, value, out, i);
			if (answer)
				return answer;
			break;
		case ARG_IOV_COUNT:
			answer = integer_of(env, value, &out->args[i]);
			if (answer == 0 && (out->args[i] < 0 || out->args[i] > (out->message_count ? out->message_count : out->iov_count)))
				answer = ANSWER_BAD_RANGE;
			break;
		case ARG_BITS:
			answer = integer_of(env, value, &out->args[i]);
			if (answer == 0 && (out->args[i] < 0 || (size_t)out->args[i] > room / sizeof(long) * sizeof(long) * CHAR_BIT))
				answer = ANSWER_BAD_RANGE;
			break;
		case ARG_SELECT_COUNT:
			answer = integer_of(env, value, &out->args[i]);
			if (answer == 0 && (out->args[i] < 0 || out->args[i] > FD_SETSIZE))
				answer = ANSWER_BAD_RANGE;
			break;
		case ARG_CHOICE:
			answer = int_of(env, value, &out->args[i]);
			if (answer == 0 && call_command_size(out->number, out->args[i]) < 0)
				return -EINVAL;
			break;
		case ARG_MESSAGE_IN:
		case ARG_MESSAGE_OUT:
			answer = message_of(environment, value, out, i);
			if (answer)
				return answer;
			break;
		case ARG_MESSAGES_IN:
		case ARG_MESSAGES_OUT:
			answer = messages_of(environment, value, out, i);
			if (answer)
				return answer;
			break;
		case ARG_IN_COUNTED:
		case ARG_OUT_COUNTED:
			answer = counted_of(environment, value, out, i, size);
			if (answer)
				return answer;
			break;
		case ARG_PAGES_OUT:
			answer = pages_out_of(environment, value, out, i);
			if (answer)
				return answer;
			break;
		case ARG_SIZED:
			answer = sized_struct_of(environment, value, out, i, size);
			if (answer)
				return answer;
			break;
		case ARG_NULL:
			if (!is_null(env, value))
				answer = ANSWER_BAD_TYPE;
			out->args[i] = 0;
			break;
		case ARG_FILE_HANDLE:
			answer = file_handle_of(environment, value, out, i);
			if (answer)
				return answer;
			break;
		case ARG_FCNTL:
		case ARG_IOCTL:
		case ARG_COMMAND: {
			int bytes = call_argument_size(row, out->number, out->args, i);
			answer = bytes < 0 ? (row->args[i].kind == ARG_IOCTL ? -ENOTTY : -EINVAL) : sized_of(environment, value, out, i, bytes);
			if (answer)
				return answer;
			break;
		}
		}
		if (answer)
			return answer - i;
	}
	return 0;
}
