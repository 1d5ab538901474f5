/*
 * options.c - the launcher's options:
 *
 *   libcr [OPTIONS] [--] PROGRAM [ARGS...]
 *
 * Those that a user gives are in usage; `--script=FD,FD` is for the supervisor that starts a program: the channel's memory and its doorbell (script/channel.h), with a third number for libcr's own execve. `--exec ARGV0` is for libcr's own execve, as are `--lineage=N`, `--script-trace=FD`, `--clock=NS,FD,MEMBER`, `--record-next=`, `--replay-next=`, `--metrics-first=PID`, `--metrics-before=FD`, `--launcher=FD` and `--sigmask=BITS`;
 * `--replay-temporary=FILE`, `--default-signals` and `--nofile=N` for a Node that becomes the launcher: it ignores SIGPIPE and SIGXFSZ, and allows itself more descriptors. `--nothing-escapes` is for tests: whatever
 * comes past libcr is killed.
 */
#include "program.h"
#include "own.h"

#include <fcntl.h>
#include <sys/resource.h>

#define RFORKS_MAX 64
#define POLICY_SIZE 16384
#define OWN_FD 900 /* no user's descriptor has such a number */

struct options options = {.stats = -1, .trace = -1, .metrics_before = -1, .script = {-1, -1}, .clock_memory = -1, .clock_member = UINT32_MAX, .rforks = 1};

static const char usage[] = "usage: libcr [--stats[=FD|FILE]] [--trace[=FD|FILE]] [--trace-format=strace|json] [--rforks=N] [--deterministic] [--time=virtual] [--schedule=seed:N[,STRATEGY]] [--schedule-log=/FILE] [--preempt-in=LIBRARY,...] [--policy=RULES] [--metrics=FILE] [--native-shim=FILE]... [--record=FILE] [--no-patch] [--argv0=NAME] [--] PROGRAM [ARGS...]\n       libcr --replay=FILE [--] [PROGRAM]";

static bool is_number(const char *text)
{
	const char *digit = text;

	while (*digit >= '0' && *digit <= '9')
		digit++;
	return digit > text && !*digit;
}

static int read_number(const char *option, const char *text, int most)
{
	long number = 0;

	for (const char *digit = text; is_number(text) && *digit && number <= most; digit++)
		number = number * 10 + *digit - '0';
	if (!is_number(text) || number > most)
		program_fail(2, option, "not such a number");
	return (int)number;
}

/** What the program is to block, which this process blocks until it can begin; in hexadecimal digits. */
static void read_sigmask(const char *text)
{
	options.has_sigmask = true;
	for (; *text; text++)
		options.sigmask = options.sigmask << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
}

/** A descriptor that becomes libcr's own, which its children inherit. */
static int take_descriptor(const char *option, int fd)
{
	if (kernel_call(SYS_fcntl, fd, F_GETFD) < 0)
		program_fail(2, option, "the descriptor is not open");
	if (fd >= OWN_FD) { /* it has been moved by the process that ran execve */
		own_keep_inherited(fd);
		return fd;
	}
	return fd <= 2 ? own_copy_inherited(fd) : own_move_inherited(fd);
}

/** Of a descriptor's number, or of a file that is made. */
static int own_descriptor(const char *option, const char *value)
{
	int fd;

	if (is_number(value))
		return take_descriptor(option, read_number(option, value, 1 << 20));
	fd = (int)kernel_call(SYS_open, value, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
	if (fd < 0)
		program_fail(2, value, fd == -EACCES ? "permission denied: it can't be written" : "it can't be written");
	return own_move_inherited(fd);
}

/** The digits that come next as a number, up to where it is `most` or above; 0 where there are none. */
static uint64_t next_digits(const char **text, uint64_t most)
{
	uint64_t number = 0;

	while (**text >= '0' && **text <= '9' && number < most)
		number = number * 10 + (uint64_t)(*(*text)++ - '0');
	return number;
}

/** A number and what is behind it, or 0 where there is none. */
static uint32_t next_number(const char **text)
{
	const uint64_t number = next_digits(text, UINT32_MAX);

	if (**text == ',')
		(*text)++;
	return (uint32_t)number;
}

/** Two descriptors, and what the process was to its supervisor before an execve. */
static void read_script(const char *value)
{
	const char *at = value;

	for (unsigned i = 0; i < 2; i++) {
		const char *before = at;
		const uint32_t fd = next_number(&at);

		if (at == before)
			program_fail(2, "--script", "two descriptors, with a comma");
		options.script[i] = take_descriptor("--script", (int)fd);
	}
	script_open(options.script[0], options.script[1], next_number(&at));
}

/** Of libcr's own execve: what script_trace_open had opened. */
static void read_script_trace(const char *value)
{
	options.trace = take_descriptor("--script-trace", read_number("--script-trace", value, 1 << 20));
	options.script_trace = true;
}

/** What the one who becomes the launcher ignores, for itself. */
static void default_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGXFSZ};
	const struct sigact act = {.act_handler = 0 /* SIG_DFL */};

	for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		kernel_call(SYS_rt_sigaction, ignored[i], &act, NULL, 8);
		program_proc.p_sigacts[ignored[i]] = act;
	}
}

static void limit_descriptors(int number)
{
	struct rlimit limit;

	if (kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) || limit.rlim_cur <= (rlim_t)number)
		return;
	limit.rlim_cur = (rlim_t)number;
	kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
}

/** The value of --NAME=VALUE; without: for --NAME itself what it means then, or NULL. */
static const char *value_of(const char *arg, const char *name, const char *without)
{
	size_t n = strlen(name);

	if (strncmp(arg, name, n))
		return NULL;
	return arg[n] == '=' ? arg + n + 1 : arg[n] ? NULL : without;
}

/** Kept where a program that writes over its arguments does not reach it. */
static void read_policy(const char *rules)
{
	static char kept[POLICY_SIZE];
	size_t n = strlen(rules) + 1;

	if (n > sizeof(kept))
		program_fail(2, "--policy", "too long");
	memcpy(kept, rules, n);
	policy_read(kept);
	options.policy = kept;
}

/** Of each, in order; loaded once the program has been. */
static void read_shim(const char *file)
{
	static unsigned n;

	if (n == SHIMS_MAX)
		program_fail(2, "--native-shim", "there can't be more than 16");
	options.shims[n++] = file;
}

/** The program may change its directory before the file is written. */
static void read_metrics(const char *file)
{
	static char path[4096];
	struct text text;
	long n = *file == '/' ? 1 : kernel_call(SYS_getcwd, path, sizeof(path));

	if (n < 0 || !*file)
		program_fail(2, "--metrics", "no such path");
	text_begin(&text, path + n - 1, sizeof(path) - (size_t)n + 1);
	text_add(&text, *file == '/' ? "%s" : "/%s", file);
	if (text.at == text.end)
		program_fail(2, "--metrics", "no such path");
	options.metrics = path;
}

static void read_trace_format(const char *name)
{
	options.trace_json = !strcmp(name, "json");
	if (!options.trace_json && strcmp(name, "strace"))
		program_fail(2, name, "no such format; there are strace and json");
}

/** Of libcr's own execve: three numbers. */
static void goes_on(const char *value, void (*begin)(uint32_t, uint32_t, int))
{
	const uint32_t first = next_number(&value), second = next_number(&value);

	begin(first, second, (int)next_number(&value));
}

/** One that was unpacked for this, in a folder of its own. */
static void replay_temporary(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	struct text text;

	replay_open(path);
	kernel_call(SYS_unlink, path);
	text_begin(&text, folder, sizeof(folder));
	text_add(&text, "%s", path);
	if (slash && (size_t)(slash - path) < sizeof(folder)) {
		folder[slash - path] = 0;
		kernel_call(SYS_rmdir, folder);
	}
}

static void replay_next(uint32_t stream, uint32_t memory, int fd)
{
	replay_go_on(stream, (int)memory, fd);
}

/** Options that say more of another one, as they were given: format of --trace-format, real of --time=real. */
static struct {
	bool format, real;
} given;

static void read_time(const char *value)
{
	if (strcmp(value, "virtual") && strcmp(value, "real"))
		program_fail(2, value, "no such time; there are virtual and real");
	options.virtual_time = !strcmp(value, "virtual");
	given.real = !options.virtual_time;
}

/** Where decisions are written: children and other programs find it wherever they are. */
static void read_schedule_log(const char *path)
{
	if (*path != '/')
		program_fail(2, "--schedule-log", "must be a whole path");
	options.schedule_log = path;
}

/** Of libcr's own execve: NS,FD,MEMBER. */
static void read_clock(const char *value)
{
	options.clock = next_digits(&value, UINT64_MAX);
	if (*value++ != ',')
		return;
	options.clock_memory = (int)next_number(&value);
	options.clock_member = next_number(&value);
}

static void read_preempt_in(const char *names)
{
	if (!*names || strchr(names, '/'))
		program_fail(2, "--preempt-in", "LIBRARY[,LIBRARY]..., files' names without their folders");
	options.preempt_in = names;
}

static void read_option(char *arg)
{
	const char *value;

	if ((value = value_of(arg, "--stats", "2")))
		options.stats = own_descriptor("--stats", value);
	else if ((value = value_of(arg, "--trace", "2")))
		options.trace = own_descriptor("--trace", value);
	else if ((value = value_of(arg, "--trace-format", NULL)))
		read_trace_format(value), given.format = true;
	else if ((value = value_of(arg, "--rforks", NULL)))
		options.rforks = (unsigned)read_number("--rforks", value, RFORKS_MAX);
	else if ((value = value_of(arg, "--nofile", NULL)))
		limit_descriptors(read_number("--nofile", value, 1 << 30));
	else if ((value = value_of(arg, "--policy", NULL)))
		read_policy(value);
	else if ((value = value_of(arg, "--native-shim", NULL)))
		read_shim(value);
	else if ((value = value_of(arg, "--script", NULL)))
		read_script(value);
	else if ((value = value_of(arg, "--script-trace", NULL)))
		read_script_trace(value);
	else if ((value = value_of(arg, "--metrics", NULL)))
		read_metrics(value);
	else if ((value = value_of(arg, "--record", NULL)))
		record_open(value);
	else if ((value = value_of(arg, "--replay", NULL)))
		replay_open(value);
	else if ((value = value_of(arg, "--replay-temporary", NULL)))
		replay_temporary(value);
	else if ((value = value_of(arg, "--record-next", NULL)))
		goes_on(value, record_go_on);
	else if ((value = value_of(arg, "--replay-next", NULL)))
		goes_on(value, replay_next);
	else if ((value = value_of(arg, "--metrics-first", NULL)))
		options.metrics_first = read_number("--metrics-first", value, 1 << 30);
	else if ((value = value_of(arg, "--metrics-before", NULL)))
		options.metrics_before = read_number("--metrics-before", value, 1 << 30);
	else if ((value = value_of(arg, "--launcher", NULL)))
		launcher_found(take_descriptor("--launcher", (int)read_number("--launcher", value, 1 << 20)));
	else if ((value = value_of(arg, "--argv0", NULL)))
		options.argv0 = value;
	else if ((value = value_of(arg, "--sigmask", NULL)))
		read_sigmask(value);
	else if ((value = value_of(arg, "--time", NULL)))
		read_time(value);
	else if ((value = value_of(arg, "--schedule", NULL)))
		options.schedule = value, options.schedule_words[0] = arg;
	else if ((value = value_of(arg, "--schedule-log", NULL)))
		read_schedule_log(value), options.schedule_words[1] = arg;
	else if ((value = value_of(arg, "--preempt-in", NULL)))
		read_preempt_in(value), options.schedule_words[2] = arg;
	else if ((value = value_of(arg, "--lineage", NULL)))
		options.lineage = next_digits(&value, UINT64_MAX);
	else if ((value = value_of(arg, "--clock", NULL)))
		read_clock(value);
	else if (!strcmp(arg, "--deterministic"))
		options.deterministic = true;
	else if (!strcmp(arg, "--no-patch"))
		options.no_patch = true;
	else if (!strcmp(arg, "--nothing-escapes"))
		escapes_kill();
	else if (!strcmp(arg, "--default-signals"))
		default_signals();
	else
		program_fail(2, arg, "no such option; libcr --help says which there are");
	if (!options.rforks)
		program_fail(2, "--rforks", "not such a number");
}

static void help(void)
{
	print(1, "%s\n", usage);
	for (;;)
		kernel_call(SYS_exit_group, 0);
}

/** What says more of an option that is not there, or otherwise than one that is, would be lost without a word. Not of libcr's own execve: a trace may have ended meanwhile. */
static void check_together(void)
{
	if (options.no_search)
		return;
	if (given.format && options.trace < 0)
		program_fail(2, "--trace-format", "there is no --trace");
	if (options.schedule_log && !options.schedule)
		program_fail(2, "--schedule-log", "there is no --schedule");
	if (given.real && options.schedule)
		program_fail(2, "--time", "a schedule is the same run again only in virtual time");
}

/** A schedule is the same run again only if time is; and that only if all else is. One kernel thread runs the lwps then. */
static void imply(void)
{
	if (options.preempt_in && !options.schedule)
		program_fail(2, "--preempt-in", "there is no --schedule that would preempt");
	if (options.schedule)
		options.virtual_time = true;
	if (options.virtual_time)
		options.deterministic = true;
	if (options.deterministic && options.rforks > 1)
		program_fail(2, "--rforks", "what several kernel threads do at once is not the same in each run");
}

/** One of libcr's own options that begins so, or NULL. Some have their value behind them. */
static const char *is_given(char **argv, const char *begins)
{
	for (argv++; *argv && **argv == '-' && strcmp(*argv, "--"); argv++) {
		if (!strncmp(*argv, begins, strlen(begins)))
			return *argv;
		if ((!strcmp(*argv, "--exec") || !strcmp(*argv, "--policy") || !strcmp(*argv, "--metrics") || !strcmp(*argv, "--native-shim")) && argv[1])
			argv++;
	}
	return NULL;
}

/** What has an execve of its own comes before any option is taken: descriptors are moved then, and are not where the options say any more. */
static void begin_again(char **argv, char **environment)
{
	launcher_find(environment);
	if (is_given(argv, "--record") || is_given(argv, "--replay"))
		record_begin_fixed(argv, environment);
	if (is_given(argv, "--deterministic") || is_given(argv, "--time=virtual") || is_given(argv, "--schedule"))
		deterministic_begin(argv, environment);
}

char **options_read(char **argv, char **environment)
{
	begin_again(argv, environment);
	for (argv++; *argv && **argv == '-'; argv++) {
		if (!strcmp(*argv, "--")) {
			argv++;
			break;
		}
		if (!strcmp(*argv, "--exec") && argv[1]) {
			options.argv0 = *++argv;
			options.no_search = true;
		} else if (!strcmp(*argv, "--policy") && argv[1]) {
			read_policy(*++argv);
		} else if (!strcmp(*argv, "--metrics") && argv[1]) {
			read_metrics(*++argv);
		} else if (!strcmp(*argv, "--native-shim") && argv[1]) {
			read_shim(*++argv);
		} else if (!strcmp(*argv, "--help")) {
			help();
		} else {
			read_option(*argv);
		}
	}
	options.replays_other = *argv && record_mode == RECORD_REPLAYS;
	if (!*argv && record_mode != RECORD_REPLAYS)
		program_fail(2, "", usage);
	if (record_mode && options.rforks != 1)
		program_fail(2, "--rforks", "a program is recorded and replayed on one rfork");
	check_together();
	imply();
	launcher_begin();
	return argv;
}
