/*
 * addon.c - the functions that JavaScript calls, the environments, and what they send each other.
 *
 * Invariants:
 *  - An environment is in the list from setup() to its end; who is not in it gets nothing.
 *  - A letter is in one inbox, or read.
 */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
struct environment *environments;

/* Under the lock: a signal's action, and whose it is. */
static struct {
	enum kind kind;
	uint32_t owner; /* 0: the process' */
} actions[SIGNALS + 1];
static uint32_t last_id;

napi_value number(napi_env env, double n)
{
	napi_value value;

	return napi_create_double(env, n, &value) == napi_ok ? value : NULL;
}

/* The numbers that a function has been given. */
struct environment *arguments(napi_env env, napi_callback_info info, double *values, size_t count)
{
	napi_value args[4];
	size_t given = 4;
	void *data = NULL;

	napi_get_cb_info(env, info, &given, args, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		values[i] = 0;
		if (i < given)
			napi_get_value_double(env, args[i], &values[i]);
	}
	napi_get_instance_data(env, &data);
	return data;
}

static uint64_t bits_of(const double *words)
{
	return (uint64_t)(uint32_t)(int64_t)words[0] | (uint64_t)(uint32_t)(int64_t)words[1] << 32;
}

/* ---------------------------------------------------------------- under the lock */

static struct environment *find(uint32_t id)
{
	struct environment *each = environments;

	while (each && each->id != id)
		each = each->next;
	return each;
}

static void set_signalfd(struct environment *environment)
{
	uint64_t bits = (environment->actions | environment->reads) & MANAGEABLE & ~environment->paused;
	sigset_t set;

	sigemptyset(&set);
	*(uint64_t *)&set = bits;
	signalfd(environment->fd, &set, 0);
}

/* Tells each what the others want. */
static void tell_others(void)
{
	for (struct environment *to = environments; to; to = to->next) {
		uint64_t waiting = 0, subscribed = 0;

		for (struct environment *from = environments; from; from = from->next) {
			if (from == to)
				continue;
			waiting |= from->waiting;
			subscribed |= from->subscribed;
		}
		to->shared->others_waiting = waiting;
		to->shared->others_subscribed = subscribed;
	}
}

/* An environment has come (1), or gone (-1). */
static void count_others(struct environment *changed, int by)
{
	for (struct environment *each = environments; each; each = each->next) {
		if (each == changed)
			continue;
		atomic_fetch_add(&each->shared->others, (uint32_t)by);
		atomic_fetch_add(&changed->shared->others, (uint32_t)by);
		each->waiting = atomic_load(&each->shared->waiting); /* it has told nobody, as long as there was nobody */
	}
}

void deliver(struct environment *to, const char *record, uint32_t flags)
{
	struct letter *letter = malloc(sizeof(*letter));

	if (!letter)
		abort(); /* a signal would be lost */
	memcpy(&letter->info, record, LETTER);
	letter->flags = (letter->flags & TOLD) | flags;
	letter->next = NULL;
	*to->last = letter;
	to->last = &letter->next;
	uv_async_send(&to->async);
}

/* ---------------------------------------------------------------- what JavaScript calls */

/* receive() -> how many signals are in the buffer. */
static napi_value receive(napi_env env, napi_callback_info info)
{
	struct environment *environment = arguments(env, info, NULL, 0);
	int count = 0;
	ssize_t length;

	pthread_mutex_lock(&lock);
	while (environment->inbox && count < BATCH) {
		struct letter *letter = environment->inbox;

		environment->inbox = letter->next;
		if (!environment->inbox)
			environment->last = &environment->inbox;
		memcpy(environment->buffer + LETTER * count++, &letter->info, LETTER);
		free(letter);
	}
	length = count == BATCH ? 0 : read(environment->fd, environment->buffer + LETTER * count, (size_t)(BATCH - count) * LETTER);
	for (; length >= LETTER; length -= LETTER) {
		char *record = environment->buffer + LETTER * count++;
		int sig = (int)((struct signalfd_siginfo *)record)->ssi_signo;
		uint32_t flags = 0;

		if (managed_is_node(sig)) {
			managed_tell_node(sig);
			flags = TOLD;
		}
		memcpy(record + 120, &flags, sizeof(flags));
	}
	pthread_mutex_unlock(&lock);
	return number(env, count);
}

/* leaveToLoop(): the event loop deals with what has been read, in its own context. */
static napi_value leave_to_loop(napi_env env, napi_callback_info info)
{
	uv_async_send(&arguments(env, info, NULL, 0)->async);
	return NULL;
}

static napi_value set_field(napi_env env, napi_callback_info info, size_t offset)
{
	double words[2];
	struct environment *environment = arguments(env, info, words, 2);
	uint64_t *field = (uint64_t *)((char *)environment + offset), bits = bits_of(words), before;

	pthread_mutex_lock(&lock);
	before = *field;
	*field = bits;
	if (field == &environment->reads || field == &environment->paused) {
		set_signalfd(environment);
		managed_update();
	} else if (field == &environment->subscribed && before != bits)
		tell_others();
	pthread_mutex_unlock(&lock);
	return NULL;
}

static napi_value set_reads(napi_env env, napi_callback_info info)
{
	return set_field(env, info, offsetof(struct environment, reads));
}

static napi_value set_paused(napi_env env, napi_callback_info info)
{
	return set_field(env, info, offsetof(struct environment, paused));
}

/* tellWaiting(): others hear what is waited for here. */
static napi_value tell_waiting(napi_env env, napi_callback_info info)
{
	struct environment *environment = arguments(env, info, NULL, 0);
	uint64_t before, bits;

	pthread_mutex_lock(&lock);
	before = environment->waiting;
	bits = environment->waiting = atomic_load(&environment->shared->waiting);
	if (before != bits)
		tell_others();
	for (struct environment *each = environments; each; each = each->next)
		if (each != environment && (each->held & bits & ~before))
			uv_async_send(&each->async);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* setReader(): the running userthread. */
static napi_value set_reader(napi_env env, napi_callback_info info)
{
	struct environment *environment = arguments(env, info, NULL, 0);

	environment->reader = environment->api->curthread();
	return NULL;
}

static napi_value set_subscribed(napi_env env, napi_callback_info info)
{
	return set_field(env, info, offsetof(struct environment, subscribed));
}

static napi_value set_held(napi_env env, napi_callback_info info)
{
	return set_field(env, info, offsetof(struct environment, held));
}

static double shown(int sig)
{
	return actions[sig].kind + 4.0 * actions[sig].owner;
}

static void change_action(int sig, enum kind kind, struct environment *owner)
{
	struct environment *before = find(actions[sig].owner);

	if ((kind == ACTION_IGNORE) != (actions[sig].kind == ACTION_IGNORE))
		managed_ignore(sig, kind == ACTION_IGNORE);
	actions[sig].kind = kind;
	actions[sig].owner = owner ? owner->id : 0;
	if (before != owner && before) {
		before->actions &= ~BIT(sig);
		before->shared->lost++;
		set_signalfd(before);
		uv_async_send(&before->async); /* what it holds of them is another's now */
	}
	if (owner && !(owner->actions & BIT(sig))) {
		owner->actions |= BIT(sig);
		set_signalfd(owner);
	}
	managed_update();
}

/* setAction(sig, kind) -> what it was: its kind, and 4 times the environment whose handler it is. */
static napi_value set_action(napi_env env, napi_callback_info info)
{
	double args[2], was;
	struct environment *environment = arguments(env, info, args, 2);
	int sig = (int)args[0];

	pthread_mutex_lock(&lock);
	was = shown(sig);
	change_action(sig, (enum kind)(int)args[1], (int)args[1] == ACTION_HANDLER ? environment : NULL);
	pthread_mutex_unlock(&lock);
	return number(env, was);
}

/* action(sig): the same without a change. */
static napi_value action(napi_env env, napi_callback_info info)
{
	double sig, is;

	arguments(env, info, &sig, 1);
	pthread_mutex_lock(&lock);
	is = shown((int)sig);
	pthread_mutex_unlock(&lock);
	return number(env, is);
}

/* pass(index, to) -> how many have got that signal of the buffer. to: an environment; 0: one that waits for it; -1: all that get all of them. */
static napi_value pass(napi_env env, napi_callback_info info)
{
	double args[2];
	struct environment *environment = arguments(env, info, args, 2);
	const char *record = environment->buffer + LETTER * (int)args[0];
	uint64_t bit = BIT(((const struct signalfd_siginfo *)record)->ssi_signo);
	int count = 0;

	pthread_mutex_lock(&lock);
	for (struct environment *each = environments; each; each = each->next) {
		if (each == environment)
			continue;
		if (args[1] > 0 ? each->id != args[1] : args[1] < 0 ? !(each->subscribed & bit) : !(each->waiting & bit))
			continue;
		deliver(each, record, args[1] < 0 ? COPY : FORWARDED);
		count++;
		if (args[1] >= 0)
			break;
	}
	pthread_mutex_unlock(&lock);
	return number(env, count);
}

/* kill(pid, sig) -> 0 or -errno. */
static napi_value send_signal(napi_env env, napi_callback_info info)
{
	double args[2];

	arguments(env, info, args, 2);
	return number(env, kill((pid_t)args[0], (int)args[1]) == 0 ? 0 : -errno);
}

/* queue(pid, sig, low, high) -> 0 or -errno. The value's two halves. */
static napi_value queue(napi_env env, napi_callback_info info)
{
	double args[4];
	union sigval value;

	arguments(env, info, args, 4);
	value.sival_ptr = (void *)(uintptr_t)bits_of(args + 2);
	return number(env, sigqueue((pid_t)args[0], (int)args[1], value) == 0 ? 0 : -errno);
}

/* pending(): the kernel's set, with what has been read and not been received, is in the first 8 bytes of the buffer. */
static napi_value pending(napi_env env, napi_callback_info info)
{
	struct environment *environment = arguments(env, info, NULL, 0);
	sigset_t set;

	sigemptyset(&set);
	pthread_mutex_lock(&lock);
	sigpending(&set);
	for (struct letter *letter = environment->inbox; letter; letter = letter->next)
		if (!(letter->flags & COPY))
			sigaddset(&set, (int)letter->info.ssi_signo);
	pthread_mutex_unlock(&lock);
	memcpy(environment->buffer, &set, 8);
	return NULL;
}

static void convert(const siginfo_t *from, struct signalfd_siginfo *to)
{
	memset(to, 0, sizeof(*to));
	to->ssi_signo = (uint32_t)from->si_signo;
	to->ssi_errno = from->si_errno;
	to->ssi_code = from->si_code;
	if (from->si_code == SI_TIMER) {
		to->ssi_tid = (uint32_t)from->si_timerid;
		to->ssi_overrun = (uint32_t)from->si_overrun;
		to->ssi_int = from->si_value.sival_int;
		to->ssi_ptr = (uintptr_t)from->si_value.sival_ptr;
	} else if (from->si_code == SI_SIGIO || (from->si_signo == SIGPOLL && from->si_code > 0)) {
		to->ssi_band = (uint32_t)from->si_band;
		to->ssi_fd = from->si_fd;
	} else {
		to->ssi_pid = (uint32_t)from->si_pid;
		to->ssi_uid = from->si_uid;
		if (from->si_signo == SIGCHLD && from->si_code > 0) {
			to->ssi_status = from->si_status;
			to->ssi_utime = (uint64_t)from->si_utime;
			to->ssi_stime = (uint64_t)from->si_stime;
		} else if (from->si_code < 0) {
			to->ssi_int = from->si_value.sival_int;
			to->ssi_ptr = (uintptr_t)from->si_value.sival_ptr;
		}
	}
}

/* Under the lock: the first letter with one of these is the buffer's first then. */
static int take_letter(struct environment *environment, uint64_t bits)
{
	for (struct letter **at = &environment->inbox; *at; at = &(*at)->next) {
		struct letter *letter = *at;

		if (!(bits & BIT(letter->info.ssi_signo)) || (letter->flags & COPY))
			continue;
		*at = letter->next;
		if (!*at)
			environment->last = at;
		memcpy(environment->buffer, &letter->info, LETTER);
		free(letter);
		return (int)((struct signalfd_siginfo *)environment->buffer)->ssi_signo;
	}
	return 0;
}

/* take(low, high) -> one of these signals that the kernel has, or the inbox, which is the buffer's first then; 0: there is none. */
static napi_value take(napi_env env, napi_callback_info info)
{
	double words[2];
	struct environment *environment = arguments(env, info, words, 2);
	struct timespec now = { 0, 0 };
	siginfo_t found;
	sigset_t set;
	uint32_t flags = 0;
	int sig;

	sigemptyset(&set);
	*(uint64_t *)&set = bits_of(words) & MANAGEABLE;
	pthread_mutex_lock(&lock);
	sig = take_letter(environment, bits_of(words));
	if (!sig && sigtimedwait(&set, &found, &now) <= 0)
		sig = -1;
	pthread_mutex_unlock(&lock);
	if (sig)
		return number(env, sig > 0 ? sig : 0);
	convert(&found, (struct signalfd_siginfo *)environment->buffer);
	if (managed_is_node(found.si_signo)) {
		managed_tell_node(found.si_signo);
		flags = TOLD;
	}
	memcpy(environment->buffer + 120, &flags, sizeof(flags));
	return number(env, found.si_signo);
}

/* isNode(sig) -> whether Node gets it, too. */
static napi_value is_node(napi_env env, napi_callback_info info)
{
	double sig;
	napi_value value = NULL;

	arguments(env, info, &sig, 1);
	napi_get_boolean(env, managed_is_node((int)sig), &value);
	return value;
}

/* hold(on): the event loop has one reason more, or less, to stay alive. */
static napi_value hold(napi_env env, napi_callback_info info)
{
	double on;
	struct environment *environment = arguments(env, info, &on, 1);

	environment->holds += on != 0 ? 1 : -1;
	if (environment->holds > 0)
		uv_ref((uv_handle_t *)&environment->poll);
	else
		uv_unref((uv_handle_t *)&environment->poll);
	return NULL;
}

/* byDefault(sig): what happens to the process without this package. */
static napi_value by_default(napi_env env, napi_callback_info info)
{
	double sig;

	arguments(env, info, &sig, 1);
	pthread_mutex_lock(&lock);
	managed_default((int)sig);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* ---------------------------------------------------------------- environments */

static void call_ready(struct environment *environment)
{
	napi_handle_scope scope;
	napi_value function, receiver, result;
	bool thrown = false;

	if (napi_open_handle_scope(environment->env, &scope) != napi_ok)
		return;
	if (napi_get_reference_value(environment->env, environment->on_ready, &function) == napi_ok &&
	    napi_get_global(environment->env, &receiver) == napi_ok) {
		napi_make_callback(environment->env, environment->context, receiver, function, 0, NULL, &result);
		napi_is_exception_pending(environment->env, &thrown);
		if (thrown && napi_get_and_clear_last_exception(environment->env, &result) == napi_ok)
			napi_fatal_exception(environment->env, result);
	}
	napi_close_handle_scope(environment->env, scope);
}

/* A reader that has not had its turn when the event loop looks again is not waited for. */
static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct environment *environment = handle->data;
	bool waits = environment->shared->reading == READER_WAITS;

	(void)status;
	(void)events;
	environment->shared->reading = waits ? READER_WOKEN : READER_NONE;
	if (!waits || environment->api->schedule(environment->reader) != 0)
		call_ready(environment);
}

static void on_letter(uv_async_t *handle)
{
	call_ready(handle->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct environment *environment = handle->data;

	if (--environment->handles > 0)
		return;
	close(environment->fd);
	napi_remove_async_cleanup_hook(environment->hook);
	free(environment);
}

/* It ends. Its handlers are no more; the process goes with the main one, so nothing changes then. */
static void leave(napi_async_cleanup_hook_handle hook, void *arg)
{
	struct environment *environment = arg;

	(void)hook;
	pthread_mutex_lock(&lock);
	for (struct environment **at = &environments; *at; at = &(*at)->next)
		if (*at == environment) {
			*at = environment->next;
			break;
		}
	count_others(environment, -1);
	if (!environment->main) {
		for (int sig = 1; sig <= SIGNALS; sig++)
			if (actions[sig].kind == ACTION_HANDLER && actions[sig].owner == environment->id)
				actions[sig].kind = ACTION_DEFAULT, actions[sig].owner = 0;
		managed_update();
		tell_others();
	}
	while (environment->inbox) {
		struct letter *letter = environment->inbox;

		environment->inbox = letter->next;
		if (!environment->main && !(letter->flags & COPY))
			kill(getpid(), (int)letter->info.ssi_signo);
		free(letter);
	}
	pthread_mutex_unlock(&lock);
	timer_end_all(environment);
	uv_close((uv_handle_t *)&environment->poll, on_closed);
	uv_close((uv_handle_t *)&environment->async, on_closed);
}

/* setup(onReady, shared: ArrayBuffer(48), buffer: ArrayBuffer(64 * 128), lwktApi) -> its number, or -errno. */
static napi_value setup(napi_env env, napi_callback_info info)
{
	struct environment *environment = calloc(1, sizeof(*environment));
	napi_value args[4], name, resource;
	size_t count = 4, length;
	uint64_t api;
	bool lossless;
	sigset_t none;
	uv_loop_t *loop;
	static bool begun;

	napi_get_cb_info(env, info, &count, args, NULL, NULL);
	if (!environment)
		return number(env, -ENOMEM);
	napi_get_value_bigint_uint64(env, args[3], &api, &lossless);
	environment->api = (const struct lwkt_api *)(uintptr_t)api;
	if (environment->api->version != LWKT_VERSION || environment->api->size < sizeof(struct lwkt_api)) {
		free(environment);
		napi_throw_error(env, NULL, "this native half was built for another version of @libcr/core");
		return NULL;
	}
	sigemptyset(&none);
	environment->fd = signalfd(-1, &none, SFD_NONBLOCK | SFD_CLOEXEC);
	if (environment->fd < 0) {
		int error = errno;

		free(environment);
		return number(env, -error);
	}
	environment->env = env;
	environment->main = gettid() == getpid();
	environment->last = &environment->inbox;
	napi_create_reference(env, args[0], 1, &environment->on_ready);
	napi_get_arraybuffer_info(env, args[1], (void **)&environment->shared, &length);
	napi_get_arraybuffer_info(env, args[2], (void **)&environment->buffer, &length);
	/* Both buffers live as long as this object. */
	napi_create_object(env, &resource);
	napi_set_named_property(env, resource, "shared", args[1]);
	napi_set_named_property(env, resource, "buffer", args[2]);
	napi_create_reference(env, resource, 1, &environment->memory);
	napi_create_string_utf8(env, "libcr: signals", NAPI_AUTO_LENGTH, &name);
	napi_async_init(env, resource, name, &environment->context);
	napi_get_uv_event_loop(env, &loop);
	uv_poll_init(loop, &environment->poll, environment->fd);
	uv_async_init(loop, &environment->async, on_letter);
	environment->poll.data = environment->async.data = environment;
	environment->handles = 2;
	uv_poll_start(&environment->poll, UV_READABLE, on_readable);
	uv_unref((uv_handle_t *)&environment->poll);
	uv_unref((uv_handle_t *)&environment->async);
	napi_set_instance_data(env, environment, NULL, NULL);
	napi_add_async_cleanup_hook(env, leave, environment, &environment->hook);

	pthread_mutex_lock(&lock);
	if (!begun) {
		managed_init();
		begun = true;
	}
	environment->id = ++last_id;
	environment->next = environments;
	environments = environment;
	count_others(environment, 1);
	tell_others();
	pthread_mutex_unlock(&lock);
	return number(env, environment->id);
}

NAPI_MODULE_INIT()
{
	static const napi_property_descriptor functions[] = {
		{ "setup", NULL, setup, NULL, NULL, NULL, napi_default, NULL },
		{ "receive", NULL, receive, NULL, NULL, NULL, napi_default, NULL },
		{ "leaveToLoop", NULL, leave_to_loop, NULL, NULL, NULL, napi_default, NULL },
		{ "setReads", NULL, set_reads, NULL, NULL, NULL, napi_default, NULL },
		{ "setPaused", NULL, set_paused, NULL, NULL, NULL, napi_default, NULL },
		{ "tellWaiting", NULL, tell_waiting, NULL, NULL, NULL, napi_default, NULL },
		{ "setSubscribed", NULL, set_subscribed, NULL, NULL, NULL, napi_default, NULL },
		{ "setReader", NULL, set_reader, NULL, NULL, NULL, napi_default, NULL },
		{ "setHeld", NULL, set_held, NULL, NULL, NULL, napi_default, NULL },
		{ "setAction", NULL, set_action, NULL, NULL, NULL, napi_default, NULL },
		{ "action", NULL, action, NULL, NULL, NULL, napi_default, NULL },
		{ "pass", NULL, pass, NULL, NULL, NULL, napi_default, NULL },
		{ "kill", NULL, send_signal, NULL, NULL, NULL, napi_default, NULL },
		{ "queue", NULL, queue, NULL, NULL, NULL, napi_default, NULL },
		{ "pending", NULL, pending, NULL, NULL, NULL, napi_default, NULL },
		{ "take", NULL, take, NULL, NULL, NULL, napi_default, NULL },
		{ "isNode", NULL, is_node, NULL, NULL, NULL, napi_default, NULL },
		{ "hold", NULL, hold, NULL, NULL, NULL, napi_default, NULL },
		{ "byDefault", NULL, by_default, NULL, NULL, NULL, napi_default, NULL },
	};

	napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
	timer_functions(env, exports);
	return exports;
}
