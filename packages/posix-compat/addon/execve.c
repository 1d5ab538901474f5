/*
 * execve.c - this process becomes another program: what process.execve of Node 22.15 does, for Nodes that have none. Node's threads end, and what Node would do at its end
 * (give the terminal back as it was) is not done: the program's terminal is its own.
 */
#define _GNU_SOURCE
#include "execve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/** A string of JavaScript's, to be freed; NULL. */
static char *string_of(napi_env env, napi_value value)
{
	size_t n;
	char *text;

	if (napi_get_value_string_utf8(env, value, NULL, 0, &n) != napi_ok)
		return NULL;
	text = malloc(n + 1);
	if (text)
		napi_get_value_string_utf8(env, value, text, n + 1, &n);
	return text;
}

static char **list_of(napi_env env, napi_value value)
{
	uint32_t n = 0;
	char **list;

	napi_get_array_length(env, value, &n);
	list = calloc(n + 1, sizeof(*list));
	for (uint32_t i = 0; list && i < n; i++) {
		napi_value element;

		napi_get_element(env, value, i, &element);
		list[i] = string_of(env, element);
		if (!list[i])
			return NULL;
	}
	return list;
}

/** Marks descriptors of a list, or takes the mark away. */
static void mark(napi_env env, napi_value list, int flags)
{
	uint32_t n = 0;

	napi_get_array_length(env, list, &n);
	for (uint32_t i = 0; i < n; i++) {
		napi_value element;
		int32_t fd = -1;

		napi_get_element(env, list, i, &element);
		if (napi_get_value_int32(env, element, &fd) == napi_ok)
			fcntl(fd, F_SETFD, flags);
	}
}

/** execve(file, args, descriptors), with the environment as it is, and the first three descriptors and those of the list. Returns an errno, if it returns. */
napi_value execve_it(napi_env env, napi_callback_info info)
{
	size_t n = 3;
	napi_value given[3], result;
	char *file, **args;
	int error = ENOMEM;

	napi_get_cb_info(env, info, &n, given, NULL, NULL);
	file = string_of(env, given[0]);
	args = list_of(env, given[1]);
	if (file && args) {
		for (int fd = 0; fd < 3; fd++) /* libuv's are closed by execve */
			fcntl(fd, F_SETFD, 0);
		mark(env, given[2], 0);
		execve(file, args, environ);
		error = errno;
		mark(env, given[2], FD_CLOEXEC);
	}
	napi_create_int32(env, error, &result);
	return result;
}
