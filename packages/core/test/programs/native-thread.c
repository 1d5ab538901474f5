/*
 * native-thread.c - the native userthreads of native-thread.test.ts, in an addon: a library that is loaded twice, by require() and by createNative().
 * Built with nothing but lwkt.h's folder; the few Node-API functions are declared here.
 *
 *   -DOTHER_VERSION    it says that it was built for a later lwkt.h
 *   -DOUTSIDE_TABLE    it calls what struct lwkt_api does not have
 */
#define _GNU_SOURCE
#define LWKT_CLIENT_STUBS
#include <lwkt_client.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifdef OTHER_VERSION
#undef LWKT_VERSION
#define LWKT_VERSION 99
#endif

static int add_one(struct lwkt_native *native)
{
#ifdef OUTSIDE_TABLE
	lwkt_cpu_init();
#endif
	native->result = (int64_t)(intptr_t)native->arg + 1;
	return 0;
}
LWKT_NATIVE(add_one);

static int answers(struct lwkt_native *native)
{
	return (int)(intptr_t)native->arg;
}
LWKT_NATIVE(answers);

/** Writes the numbers from 1 on into the buffer, a byte between two yields. */
static int count_bytes(struct lwkt_native *native)
{
	for (size_t i = 0; i < native->size; i++) {
		((unsigned char *)native->arg)[i] = (unsigned char)(i + 1);
		lwkt_yield();
	}
	native->result = (int64_t)native->size;
	return 0;
}
LWKT_NATIVE(count_bytes);

/** Appends its priority, three times, to a buffer whose first byte is the length. */
static int log_priority(struct lwkt_native *native)
{
	unsigned char *log = native->arg;

	for (int i = 0; i < 3; i++) {
		log[++log[0]] = (unsigned char)lwkt_curthread()->td_pri;
		lwkt_yield();
	}
	return 0;
}
LWKT_NATIVE(log_priority);

static int sleep_ns(struct lwkt_native *native)
{
	return lwkt_nanosleep((uint64_t)(uintptr_t)native->arg);
}
LWKT_NATIVE(sleep_ns);

/** Its errno is its own, across switches. */
static int keep_errno(struct lwkt_native *native)
{
	int mine = (int)(intptr_t)native->arg;

	errno = mine;
	for (int i = 0; i < 100; i++) {
		lwkt_yield();
		if (errno != mine)
			return EBADMSG;
	}
	return 0;
}
LWKT_NATIVE(keep_errno);

static int try_exit(struct lwkt_native *native)
{
	native->result = lwkt_exit();
	return 0;
}
LWKT_NATIVE(try_exit);

static struct lwkt_wait queue = {.w_waiters = {&queue.w_waiters, &queue.w_waiters}};
static int condition;

static int wait_for_signal(struct lwkt_native *native)
{
	uint32_t gen = lwkt_wait_gen(&queue);
	int error = 0;

	while (!condition && !error)
		error = lwkt_wait_block(&queue, "the signal", &gen);
	native->result = condition;
	return error;
}
LWKT_NATIVE(wait_for_signal);

/** Waits, whoever calls it, until it is to end; then cleans up and says so. */
static int clean_up(struct lwkt_native *native)
{
	static const char text[] = "cleaned up\n";

	(void)native;
	while (!lwkt_client_aborting())
		lwkt_block("an abort");
	return write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ? errno : ECANCELED;
}
LWKT_NATIVE(clean_up);

/** Never gives up. */
static int refuse_to_end(struct lwkt_native *native)
{
	(void)native;
	for (;;)
		lwkt_block("ever");
	return 0;
}
LWKT_NATIVE(refuse_to_end);

static int block_without_end(struct lwkt_native *native)
{
	int error = 0;
	lwkt_msg_t msg = lwkt_waitport(&lwkt_curthread()->td_msgport, &error);

	native->result = msg != NULL;
	return error;
}
LWKT_NATIVE(block_without_end);

struct squaring {
	struct lwkt_msg msg;
	int64_t number;
};

/** A thread of C's own: squares what comes until a message has 0. */
static void squarer(void *arg)
{
	lwkt_port_t port = &lwkt_curthread()->td_msgport;
	int64_t number;

	(void)arg;
	do {
		struct squaring *request = (struct squaring *)lwkt_waitport(port, NULL);

		number = request->number;
		request->msg.u.ms_result = number * number;
		lwkt_replymsg(&request->msg, 0);
	} while (number);
}

/** The sum of the squares up to arg, which a second thread works out. */
static int sum_of_squares(struct lwkt_native *native)
{
	const struct lwkt_create_args args = {.name = "squarer", .priority = -1, .flags = TDF_JOINABLE};
	struct squaring request;
	lwkt_thread_t td;
	int error = lwkt_create(squarer, NULL, &td, &args);

	if (error)
		return error;
	for (int64_t i = (intptr_t)native->arg; i >= 0; i--) {
		lwkt_initmsg(&request.msg, NULL, 0);
		request.number = i;
		error = lwkt_domsg(&td->td_msgport, &request.msg);
		if (error)
			return error;
		native->result += request.msg.u.ms_result;
	}
	return lwkt_join(td);
}
LWKT_NATIVE(sum_of_squares);

static __attribute__((noinline)) int64_t use(int64_t bytes)
{
	volatile char page[1024];

	memset((char *)page, (char)bytes, sizeof(page));
	return bytes <= (int64_t)sizeof(page) ? page[0] : use(bytes - (int64_t)sizeof(page)) + page[64];
}

static int use_stack(struct lwkt_native *native)
{
	native->result = use((intptr_t)native->arg) != 0;
	return 0;
}
LWKT_NATIVE(use_stack);

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;

typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);

/** For JavaScript, on thread0 too. */
static napi_value signal_queue(napi_env env, napi_callback_info info)
{
	(void)env;
	(void)info;
	condition = 7;
	lwkt_wait_signal(&queue, -1);
	return NULL;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function;

	(void)exports;
	napi_create_function(env, "signal", 6, signal_queue, NULL, &function);
	return function;
}
