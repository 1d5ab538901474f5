/*
 * helpers.c - what libcr has for native shims: libcr_shim.h says what each does. All of it may be called by several lwps at the same time.
 */
#define SHIM_INTERNAL
#include "shim.h"
#include "trace.h" /* of print/: which argument is what */

#include "os/os.h" /* core's */

#define PRINTED_MAX 1024

void lwkt_word_lock(uint32_t *word); /* core's lwkt_kernel.h, whose struct sysmsg is another one */

char **shim_environment;
int shim_stderr = 2;

long shim_copyin(void *to, unsigned long from, size_t n) { return copyin(to, from, n); }
long shim_copyout(unsigned long to, const void *from, size_t n) { return copyout(to, from, n); }
long shim_copyinstr(char *to, unsigned long from, size_t size) { return user_string(to, from, size); }

/** Which argument is the nth of a format; -1: the call has no such. */
static int argument_of(const struct sysmsg *msg, unsigned format, unsigned nth)
{
	const struct call_arguments *what = call_name((uint64_t)msg->sm_number) ? arguments_of((uint64_t)msg->sm_number) : NULL;

	for (unsigned i = 0; what && i < what->n; i++)
		if (what->args[i].format == format && nth-- == 0)
			return (int)i;
	return -1;
}

static long string_argument(const struct sysmsg *msg, unsigned nth, char *to, size_t size)
{
	int i = argument_of(msg, FORMAT_PATH, nth);

	return i < 0 ? -EINVAL : user_string(to, msg->sm_args[i], size);
}

long shim_path(const struct sysmsg *msg, char *to, size_t size) { return string_argument(msg, 0, to, size); }
long shim_dest(const struct sysmsg *msg, char *to, size_t size) { return string_argument(msg, 1, to, size); }

int shim_fd(const struct sysmsg *msg)
{
	int i = argument_of(msg, FORMAT_FD, 0);

	return i < 0 ? -1 : (int)msg->sm_args[i];
}

const char *shim_call_name(long number) { return call_name((uint64_t)number); }
long shim_call_number(const char *name) { return call_number(name); }
const char *shim_error_name(long error) { return error_name((unsigned)(error < 0 ? -error : error)); }

bool shim_is(const struct sysmsg *msg, const char *name)
{
	const char *own = call_name((uint64_t)msg->sm_number);
	long number;

	if (!own)
		return false;
	if (!strcmp(own, name))
		return true;
	number = call_family((uint64_t)msg->sm_number) ? call_number(name) : -1;
	return number >= 0 && call_stands_for((uint64_t)msg->sm_number, (uint64_t)number);
}

void shim_print(const char *format, ...)
{
	char buffer[PRINTED_MAX];
	struct text text;
	va_list list;

	text_begin(&text, buffer, sizeof(buffer));
	va_start(list, format);
	text_add_list(&text, format, list);
	va_end(list);
	if (out_write(shim_stderr, buffer, (size_t)(text.at - buffer)) == -EBADF) /* the program has closed all that it can */
		out_write(2, buffer, (size_t)(text.at - buffer));
}

void *shim_alloc(size_t size) { return lwkt_os_alloc(size); }
void shim_free(void *piece) { lwkt_os_free(piece); }
void shim_lock(uint32_t *word) { lwkt_word_lock(word); }
void shim_unlock(uint32_t *word) { __atomic_store_n(word, 0, __ATOMIC_RELEASE); }
uint64_t shim_clock(void) { return lwkt_os_clock(); }

const char *shim_getenv(const char *name)
{
	size_t n = strlen(name);

	for (char **at = shim_environment; at && *at; at++)
		if (!strncmp(*at, name, n) && (*at)[n] == '=')
			return *at + n + 1;
	return NULL;
}

const void *shim_export(const char *name)
{
#define EXPORTED(function) {#function, (const void *)function}
	static const struct {
		const char *name;
		const void *at;
	} exported[] = {
		EXPORTED(shim_copyin), EXPORTED(shim_copyout), EXPORTED(shim_copyinstr), EXPORTED(shim_path), EXPORTED(shim_dest), EXPORTED(shim_fd),
		EXPORTED(shim_call_name), EXPORTED(shim_call_number), EXPORTED(shim_error_name), EXPORTED(shim_is), EXPORTED(shim_print), EXPORTED(shim_alloc),
		EXPORTED(shim_free), EXPORTED(shim_lock), EXPORTED(shim_unlock), EXPORTED(shim_clock), EXPORTED(shim_getenv),
		EXPORTED(memcpy), EXPORTED(memmove), EXPORTED(memset), EXPORTED(memcmp), EXPORTED(strlen), EXPORTED(strcmp), EXPORTED(strncmp),
		EXPORTED(strchr), EXPORTED(strrchr),
	};

	for (unsigned i = 0; i < sizeof(exported) / sizeof(exported[0]); i++)
		if (!strcmp(exported[i].name, name))
			return exported[i].at;
	return NULL;
}
