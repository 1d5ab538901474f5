/*
 * supervisor.c - a supervisor for tests (packages/syscalls/native/program/script/channel.h): makes a channel, starts the launcher with it, and serves until all that
 * came of that has ended.
 *
 *   supervisor [RULE...] -- LAUNCHER [OPTIONS...] -- PROGRAM [ARGS...]
 *
 *   pass, call, back   what all wanted calls are answered, where no other rule is theirs: COMMAND_PASS; COMMAND_CALL, then COMMAND_DONE; COMMAND_CALL, then COMMAND_PASS
 *   want=N,...         the calls that are wanted, by number; without it: all
 *   refuse=PATH        a call with that path: EACCES
 *   change=FROM,TO     is made with the other path, which is put behind what is staged
 *   inplace=FROM,TO    the same, written over the first: no longer than that
 *   input=TEXT         what read(0) reads, and then nothing
 *   upper              data that is read comes in capitals
 *   shout              data that is written to 1 goes in capitals; shout=behind: put behind what is staged
 *   gather=N           getpgid is answered once N have come
 *   hold               what is asked is answered when it is cancelled: -ERESTARTSYS, and 7 for the call that comes then
 *   die=N              it kills itself with the Nth getpgid unanswered
 *   slay=N             with the Nth getpgid the program is killed that makes it; those before are not answered
 *   full=MS            all slots are taken, and so many ms later one, which goes round
 *   table=FILE         from the first getpgid to the second all calls are answered with 3, memory that the kernel would write is filled, and what came is written to the file
 *   lie                from the first getpgid to the second what it says of memory is wrong: outside of the slot
 *   instead            lstat in place of stat
 *   gone=detach        what a program does without it; kill is what it does otherwise
 *   spin=TURNS         ch_spin
 *   report=FILE        where it says at the end what there was, as JSON
 *
 * Its exit status is the launcher's; 128 and a signal's number.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../../syscalls/native/program/script/channel.h"

#define RESTART -512 /* ERESTARTSYS */

static struct channel *channel;
static int bell;
static bool held[CHANNEL_SLOTS], made[CHANNEL_SLOTS];
static enum { PASS, CALL, BACK } manner;
static const char *refused, *from, *to, *inplace_from, *inplace_to, *input, *report, *wanted;
static FILE *table;
static bool tabled, lie, lying, instead, upper, shout, shout_behind, hold, held_once;
static int gather, gathered, slay, die, full = -1;
static int calls, returns, forked, cancelled, swept, most, shorts;
static char begun[65536], names[256]; /* who has called getpgid, at first */
static int nnames;

static struct slot *slot_at(int i) { return (struct slot *)((char *)channel + CHANNEL_SLOTS_AT + (long)i * SLOT_SIZE); }
static int place_of(const struct slot *slot) { return (int)(((const char *)slot - (const char *)channel - CHANNEL_SLOTS_AT) / SLOT_SIZE); }
static void wake(volatile uint32_t *word, int n) { syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0); }
static char *bytes(struct slot *slot, const struct slot_part *part) { return (char *)slot + part->pa_at; }

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void release(int i)
{
	slot_at(i)->sl_pid = 0;
	slot_at(i)->sl_state = SLOT_FREE;
	held[i] = made[i] = false;
	__atomic_store_n(&channel->ch_owners[i], 0, __ATOMIC_SEQ_CST);
	if (channel->ch_waiting) {
		__atomic_fetch_add(&channel->ch_free, 1, __ATOMIC_SEQ_CST);
		wake(&channel->ch_free, 1);
	}
}

static bool is_used(int i) { return channel->ch_owners[i] != 0; }

static void answer(struct slot *slot, uint32_t command)
{
	slot->sl_command = command;
	made[place_of(slot)] = command == COMMAND_CALL;
	if (__atomic_exchange_n(&slot->sl_state, SLOT_ANSWER, __ATOMIC_SEQ_CST) == SLOT_ASLEEP)
		wake(&slot->sl_state, 1);
}

static void done(struct slot *slot, long result)
{
	slot->sl_result = result;
	answer(slot, COMMAND_DONE);
}

/* ------------------------------------------------ rules */

static bool is_path(struct slot *slot, const struct slot_argument *a, const char *path)
{
	return path && a->ar_kind == ARGUMENT_PATH && a->ar_data.pa_length == strlen(path) && !memcmp(bytes(slot, &a->ar_data), path, strlen(path));
}

static void change_path(struct slot *slot, struct slot_argument *a, const char *path)
{
	a->ar_data = (struct slot_part){slot->sl_used, (uint32_t)strlen(path)};
	memcpy(bytes(slot, &a->ar_data), path, strlen(path));
	slot->sl_used = (slot->sl_used + (uint32_t)strlen(path) + 8) & ~7u;
	a->ar_flags |= ARGUMENT_CHANGED;
}

static void each_part(struct slot *slot, const struct slot_argument *a, void (*func)(char *at, uint32_t length))
{
	const struct slot_part *parts = (const struct slot_part *)bytes(slot, &a->ar_data);
	uint32_t n = a->ar_parts;

	if (a->ar_kind == ARGUMENT_BUFFER)
		func(bytes(slot, &a->ar_data), a->ar_data.pa_length);
	if (a->ar_kind == ARGUMENT_MESSAGE) {
		const struct slot_message *message = (const struct slot_message *)parts;

		n = message->ms_parts;
		parts = (const struct slot_part *)(message + 1);
	} else if (a->ar_kind != ARGUMENT_BUFFERS) {
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		func(bytes(slot, &parts[i]), parts[i].pa_length);
}

static void capitals(char *at, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		at[i] = (char)toupper((unsigned char)at[i]);
}

static bool reads(long number)
{
	return number == SYS_read || number == SYS_pread64 || number == SYS_readv || number == SYS_recvfrom || number == SYS_recvmsg;
}

static bool writes(long number)
{
	return number == SYS_write || number == SYS_writev || number == SYS_sendto || number == SYS_sendmsg;
}

/** The data, as a buffer of its own behind what is there. */
static void move_buffer(struct slot *slot, struct slot_argument *a)
{
	char *old = bytes(slot, &a->ar_data);

	if (a->ar_kind != ARGUMENT_BUFFER || slot->sl_used + a->ar_data.pa_length > SLOT_SIZE)
		return;
	a->ar_data.pa_at = slot->sl_used;
	memcpy(bytes(slot, &a->ar_data), old, a->ar_data.pa_length);
	slot->sl_used = (slot->sl_used + a->ar_data.pa_length + 7) & ~7u;
	a->ar_flags |= ARGUMENT_CHANGED;
}

/** Whether a rule has answered it. */
static bool answer_by_rule(struct slot *slot)
{
	if (input && slot->sl_number == SYS_read && slot->sl_args[0] == 0) {
		size_t n = strlen(input), room = (size_t)slot->sl_args[2];

		n = n < room ? n : room;
		memcpy(bytes(slot, &slot->sl_arguments[1].ar_data), input, n);
		input += n;
		done(slot, (long)n);
		return true;
	}
	for (unsigned i = 0; i < slot->sl_nargs; i++)
		if (is_path(slot, &slot->sl_arguments[i], refused)) {
			done(slot, -EACCES);
			return true;
		}
	return false;
}

/** Of the memory that an argument has. */
static void tell_lies(struct slot *slot, struct slot_argument *a)
{
	struct slot_message *message = (struct slot_message *)bytes(slot, &a->ar_data);

	if (a->ar_kind == ARGUMENT_PATH || a->ar_kind == ARGUMENT_BUFFER)
		a->ar_data.pa_at = SLOT_SIZE - 1;
	if (a->ar_kind == ARGUMENT_BUFFERS)
		((struct slot_part *)message)->pa_at = 0xfffffff0;
	if (a->ar_kind == ARGUMENT_MESSAGE)
		message->ms_parts = 0x10000000;
	if (a->ar_kind != ARGUMENT_NUMBER && a->ar_kind != ARGUMENT_NULL)
		a->ar_flags |= ARGUMENT_CHANGED;
}

static void change_by_rule(struct slot *slot)
{
	if (instead && slot->sl_number == SYS_stat)
		slot->sl_number = SYS_lstat;
	lying ^= lie && slot->sl_number == SYS_getpgid;
	for (unsigned i = 0; lying && i < slot->sl_nargs; i++)
		tell_lies(slot, &slot->sl_arguments[i]);
	for (unsigned i = 0; i < slot->sl_nargs; i++) {
		struct slot_argument *a = &slot->sl_arguments[i];

		if (a->ar_flags & ARGUMENT_SHORT)
			shorts++;
		if (is_path(slot, a, from))
			change_path(slot, a, to);
		if (is_path(slot, a, inplace_from)) {
			memcpy(bytes(slot, &a->ar_data), inplace_to, strlen(inplace_to));
			a->ar_data.pa_length = (uint32_t)strlen(inplace_to);
		}
	}
	if (shout && writes(slot->sl_number) && slot->sl_args[0] == 1) {
		if (shout_behind)
			move_buffer(slot, &slot->sl_arguments[1]);
		each_part(slot, &slot->sl_arguments[1], capitals);
	}
}

static void answer_all(bool (*which)(int i), long result)
{
	for (int i = 0; i < CHANNEL_SLOTS; i++)
		if (which(i)) {
			held[i] = false;
			done(slot_at(i), result);
		}
}

static bool is_held(int i) { return held[i]; }

static void fill(char *at, uint32_t length) { memset(at, 0xee, length); }

static uint32_t sum;

static void add(char *at, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		sum = sum * 31 + (unsigned char)at[i];
}

/** What the call was, and what it is answered. Whether the rule is on. */
static bool answer_in_table(struct slot *slot)
{
	if (!table || slot->sl_number == SYS_getpgid) {
		tabled = table && !tabled;
		return false;
	}
	if (!tabled)
		return false;
	fprintf(table, "{\"number\":%ld,\"args\":[", (long)slot->sl_number);
	for (unsigned i = 0; i < slot->sl_nargs; i++) {
		struct slot_argument *a = &slot->sl_arguments[i];
		const struct slot_message *message = (const struct slot_message *)bytes(slot, &a->ar_data);

		sum = 0;
		if (a->ar_kind == ARGUMENT_PATH)
			add(bytes(slot, &a->ar_data), a->ar_data.pa_length);
		if (a->ar_kind == ARGUMENT_MESSAGE) {
			add(bytes(slot, &message->ms_name), message->ms_name.pa_length);
			add(bytes(slot, &message->ms_control), message->ms_control.pa_length);
		}
		each_part(slot, a, add);
		fprintf(table, "%s{\"kind\":%d,\"flags\":%d,\"length\":%u,\"sum\":%u}", i ? "," : "", a->ar_kind, a->ar_flags, a->ar_kind == ARGUMENT_PATH || a->ar_kind == ARGUMENT_BUFFER ? a->ar_data.pa_length : 0, sum);
		if (!(a->ar_flags & ARGUMENT_OUT))
			continue;
		if (a->ar_kind == ARGUMENT_MESSAGE) {
			fill(bytes(slot, &message->ms_name), message->ms_name.pa_length);
			fill(bytes(slot, &message->ms_control), message->ms_control.pa_length);
		}
		each_part(slot, a, fill);
	}
	fprintf(table, "]}\n");
	done(slot, 3);
	return true;
}

static bool is_held_back(struct slot *slot)
{
	const int i = place_of(slot);

	if (slot->sl_number != SYS_getpgid && slot->sl_number != SYS_flock)
		return false;
	if (die && --die == 0)
		raise(SIGKILL);
	if (slay) {
		held[i] = true;
		if (++gathered == slay)
			kill(slot->sl_pid, SIGKILL);
		return true;
	}
	if (gather) {
		held[i] = true;
		if (++gathered == gather)
			answer_all(is_held, 42);
		return true;
	}
	if (!hold)
		return false;
	if (held_once)
		done(slot, 7);
	else
		held[i] = true;
	held_once = true;
	return true;
}

/* ------------------------------------------------ serving */

static void begins(struct slot *slot)
{
	for (int i = 0; i < CHANNEL_SLOTS; i++)
		if (i != place_of(slot) && is_used(i) && slot_at(i)->sl_pid && slot_at(i)->sl_process == slot->sl_process)
			release(i);
	if (strlen(begun) + slot->sl_arguments[0].ar_data.pa_length + 8 < sizeof(begun))
		sprintf(begun + strlen(begun), "%s\"%.*s\"", *begun ? "," : "", (int)slot->sl_arguments[0].ar_data.pa_length, bytes(slot, &slot->sl_arguments[0].ar_data));
}

static void serve_call(struct slot *slot)
{
	calls++;
	if (slot->sl_number == SYS_getpgid && nnames++ < 8)
		sprintf(names + strlen(names), "%s\"%.16s\"", *names ? "," : "", slot->sl_name);
	if (answer_in_table(slot) || answer_by_rule(slot) || is_held_back(slot))
		return;
	change_by_rule(slot);
	answer(slot, manner == PASS && !upper && !shout && !from && !inplace_from ? COMMAND_PASS : COMMAND_CALL);
}

static void serve_return(struct slot *slot)
{
	returns++;
	if (upper && reads(slot->sl_number) && slot->sl_result > 0)
		each_part(slot, &slot->sl_arguments[1], capitals);
	answer(slot, manner == BACK ? COMMAND_PASS : COMMAND_DONE);
}

static void serve_held(int i, struct slot *slot)
{
	if (!held[i] || !slot->sl_cancel || !hold)
		return;
	held[i] = false;
	cancelled++;
	done(slot, RESTART);
}

static void serve(int i)
{
	struct slot *slot = slot_at(i);

	if (slot->sl_state != SLOT_POSTED && slot->sl_state != SLOT_ASLEEP)
		return;
	if (held[i]) {
		serve_held(i, slot);
		return;
	}
	switch (slot->sl_event) {
	case EVENT_CALL:
		serve_call(slot);
		serve_held(i, slot); /* it may have been cancelled before it was seen */
		break;
	case EVENT_RETURN: serve_return(slot); break;
	case EVENT_BEGIN:
		begins(slot);
		answer(slot, COMMAND_PASS);
		break;
	case EVENT_FORKED:
		forked++;
		answer(slot, COMMAND_PASS);
		break;
	}
}

static bool serve_pending(void)
{
	bool any = false;

	for (int word = 0; word < CHANNEL_SLOTS / 32; word++) {
		uint32_t bits = channel->ch_pending[word] ? __atomic_exchange_n(&channel->ch_pending[word], 0, __ATOMIC_SEQ_CST) : 0;

		any |= bits != 0;
		most = __builtin_popcount(bits) > most ? __builtin_popcount(bits) : most;
		for (; bits; bits &= bits - 1)
			serve(word * 32 + __builtin_ctz(bits));
	}
	return any;
}

/** Slots of processes that have ended. How many others are in use. */
static int sweep(void)
{
	int used = 0;

	for (int i = 0; i < CHANNEL_SLOTS; i++) {
		const int pid = channel->ch_owners[i];

		if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH) {
			swept++;
			release(i);
		}
		used += is_used(i);
	}
	return used;
}

/** Of `full`: nobody's. */
static void take_all(void)
{
	for (int i = 0; i < CHANNEL_SLOTS; i++)
		channel->ch_owners[i] = -2;
}

static void give_back(int n)
{
	for (int i = 0; i < n; i++)
		if (channel->ch_owners[i] == -2)
			release(i);
}

static int status_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/** Until there is no process left. The launcher's exit status. */
static int serve_all(pid_t first)
{
	const long began = now();
	int result = 0;

	for (;;) {
		struct pollfd polled = {.fd = bell, .events = POLLIN};
		uint64_t rung;
		int status;
		pid_t ended;

		while (serve_pending())
			;
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == first)
				result = status_of(status);
		if (ended < 0 && errno == ECHILD)
			return result;
		sweep();
		if (full >= 0 && now() - began > full) {
			give_back(1);
			full = -1;
		}
		channel->ch_asleep = 1;
		if (serve_pending())
			continue;
		if (poll(&polled, 1, 20) > 0 && read(bell, &rung, sizeof(rung)) < 0)
			abort();
		channel->ch_asleep = 0;
	}
}

static void want(void)
{
	if (!wanted)
		memset((void *)(uintptr_t)channel->ch_wants, WANTS_CALL, CHANNEL_CALLS);
	for (const char *at = wanted; at && *at; at = *strchrnul(at, ',') ? strchr(at, ',') + 1 : NULL)
		channel->ch_wants[atoi(at)] = WANTS_CALL;
}

static const char *value_of(const char *rule, const char *name)
{
	return !strncmp(rule, name, strlen(name)) && rule[strlen(name)] == '=' ? rule + strlen(name) + 1 : NULL;
}

static void split(const char *pair, const char **a, const char **b)
{
	*a = strndup(pair, strcspn(pair, ","));
	*b = strchr(pair, ',') + 1;
}

static void read_rule(const char *rule)
{
	const char *value;

	if (!strcmp(rule, "pass"))
		manner = PASS;
	else if (!strcmp(rule, "call"))
		manner = CALL;
	else if (!strcmp(rule, "back"))
		manner = BACK;
	else if ((value = value_of(rule, "want")))
		wanted = value;
	else if ((value = value_of(rule, "refuse")))
		refused = value;
	else if ((value = value_of(rule, "change")))
		split(value, &from, &to);
	else if ((value = value_of(rule, "inplace")))
		split(value, &inplace_from, &inplace_to);
	else if ((value = value_of(rule, "input")))
		input = value;
	else if (!strcmp(rule, "upper"))
		upper = true;
	else if (!strcmp(rule, "shout") || !strcmp(rule, "shout=behind"))
		shout = true, shout_behind = rule[5] == '=';
	else if ((value = value_of(rule, "gather")))
		gather = atoi(value);
	else if (!strcmp(rule, "hold"))
		hold = true;
	else if ((value = value_of(rule, "slay")))
		slay = atoi(value);
	else if ((value = value_of(rule, "die")))
		die = atoi(value);
	else if ((value = value_of(rule, "full")))
		full = atoi(value);
	else if ((value = value_of(rule, "table")))
		table = fopen(value, "w");
	else if (!strcmp(rule, "instead"))
		instead = true;
	else if (!strcmp(rule, "lie"))
		lie = true;
	else if (!strcmp(rule, "gone=detach"))
		channel->ch_gone = GONE_DETACH;
	else if ((value = value_of(rule, "spin")))
		channel->ch_spin = (uint32_t)atoi(value);
	else if ((value = value_of(rule, "report")))
		report = value;
	else {
		fprintf(stderr, "no such rule: %s\n", rule);
		exit(2);
	}
}

static void say(int used)
{
	FILE *file = report ? fopen(report, "w") : NULL;

	if (table)
		fclose(table);
	if (!file)
		return;
	fprintf(file, "{\"calls\":%d,\"returns\":%d,\"forked\":%d,\"cancelled\":%d,\"swept\":%d,\"most\":%d,\"shorts\":%d,\"used\":%d,\"begun\":[%s],\"names\":[%s]}\n", calls, returns, forked,
	        cancelled, swept, most, shorts, used, begun, names);
	fclose(file);
}

int main(int argc, char **argv)
{
	const int memory = memfd_create("channel", MFD_CLOEXEC);
	int n = 1, status;
	struct stat about;
	char option[64];
	pid_t pid;

	bell = eventfd(0, EFD_CLOEXEC);
	if (memory < 0 || bell < 0 || ftruncate(memory, CHANNEL_SIZE))
		return 3;
	channel = mmap(NULL, CHANNEL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (channel == MAP_FAILED)
		return 3;
	channel->ch_magic = CHANNEL_MAGIC;
	channel->ch_supervisor = getpid();
	channel->ch_gone = GONE_KILL;
	if (!stat("/proc/self/ns/pid", &about))
		channel->ch_namespace = (uint32_t)about.st_ino;
	for (; n < argc && strcmp(argv[n], "--"); n++)
		read_rule(argv[n]);
	want();
	if (full >= 0)
		take_all();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (!pid) {
		char **args = argv + n; /* in place of "--" and the launcher: the launcher and the option */

		sprintf(option, "--script=%d,%d", dup(memory), dup(bell));
		args[0] = args[1];
		args[1] = option;
		execv(args[0], args);
		return 3;
	}
	status = serve_all(pid);
	give_back(CHANNEL_SLOTS);
	say(sweep());
	return status;
}
