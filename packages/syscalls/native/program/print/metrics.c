/*
 * metrics.c - what --metrics writes when a process ends by itself: system calls by name and outcome, how long they took and how many bytes they moved, as text for
 * Prometheus ("Text-based format", version 0.0.4). Names and buckets are those of @libcr/syscalls/shims/metrics.
 *
 * A process has one file: FILE for the program's own, FILE.PID for each that it starts. What it had counted before an execve is handed over by a file in
 * memory (metrics_hand_over), so execve ends no file. Not here: a process that a signal ends.
 *
 * Invariant: counters are changed by atomic additions, as several rforks make calls at a time; whoever writes the file may read them meanwhile.
 */
#include "program.h"

#include "os/os.h" /* core's */

#include <fcntl.h>
#include <sys/stat.h>

#define ERRORS 134
#define BUFFER_SIZE 65536
#define LINE_MAX 256
#define ROWS (CALLS + 1) /* the last: numbers that have no call */

/* Upper bounds, in ns and as they are printed. */
static const struct {
	uint64_t ns;
	const char *seconds;
} bounds[] = {
	{1000, "0.000001"}, {5000, "0.000005"}, {10000, "0.00001"}, {50000, "0.00005"}, {100000, "0.0001"}, {500000, "0.0005"},
	{1000000, "0.001"}, {5000000, "0.005"}, {10000000, "0.01"}, {50000000, "0.05"}, {100000000, "0.1"}, {500000000, "0.5"},
	{1000000000, "1"}, {5000000000, "5"}, {10000000000, "10"},
};
#define NBOUNDS (sizeof(bounds) / sizeof(bounds[0]))

struct row {
	uint64_t ok, ns, bytes;
	uint64_t took[NBOUNDS + 1]; /* by bound, not added up */
	uint64_t errors[ERRORS];    /* [0]: those beyond */
	int64_t in_flight;
};

/** A row on its way to the next program. */
struct record {
	uint64_t number;
	struct row row;
};

/** A file under way. */
struct output {
	int fd;
	bool failed;
	struct text text;
	char path[4096], other[4096 + 8]; /* what it is to be called, and until it is whole */
	char buffer[BUFFER_SIZE];
};

static struct row *rows; /* of ROWS; touched, and so in memory, where a call was made */
static int counts_of;    /* the process that they are of; a child of vfork counts as its parent */

#define ADD(counter, n) __atomic_fetch_add(&(counter), (n), __ATOMIC_RELAXED)

static uint64_t index_of(uint64_t number) { return call_name(number) ? number : CALLS; }

/** Which answer only when they fail, or never. */
static bool is_last(uint64_t number)
{
	return number == SYS_exit || number == SYS_exit_group || number == SYS_execve || number == SYS_execveat;
}

static void count_ok(struct row *row, uint64_t ns)
{
	unsigned bound = 0;

	while (bound < NBOUNDS && ns > bounds[bound].ns)
		bound++;
	ADD(row->took[bound], 1);
	ADD(row->ns, ns);
}

uint64_t metrics_begin(uint64_t number)
{
	struct row *row = &rows[index_of(number)];

	if (number == SYS_exit || number == SYS_exit_group) {
		count_ok(row, 0);
		ADD(row->ok, 1);
		return 0;
	}
	if (!is_last(number))
		ADD(row->in_flight, 1);
	return lwkt_os_clock();
}

void metrics_end(uint64_t number, uint64_t began, long result)
{
	struct row *row = &rows[index_of(number)];

	if (counts_of != program_proc.p_pid) { /* a fork's child comes back of a call that its parent has made */
		counts_of = program_proc.p_pid;
		return;
	}
	if (!is_last(number))
		ADD(row->in_flight, -1);
	if (result == -ERESTARTNOINTR)
		return; /* it has not been made */
	count_ok(row, lwkt_os_clock() - began);
	if (number == SYS_rt_sigreturn || result >= 0 || result < -4095) {
		ADD(row->ok, 1);
		if (call_moved(number) && number != SYS_rt_sigreturn)
			ADD(row->bytes, (uint64_t)result);
		return;
	}
	if (result == -ERESTARTSYS || result == -ERESTARTNOHAND)
		result = -EINTR; /* made again, it counts again */
	ADD(row->errors[-result < ERRORS ? -result : 0], 1);
}

void metrics_forget(void)
{
	if (!options.metrics)
		return;
	memset(rows, 0, ROWS * sizeof(*rows));
	counts_of = 0; /* until the call has come back that was its fork */
}

/* ------------------------------------------------ over an execve */

static uint64_t count_of(const struct row *row)
{
	uint64_t count = 0;

	for (unsigned i = 0; i <= NBOUNDS; i++)
		count += row->took[i];
	return count;
}

static bool is_seen(const struct row *row) { return row->in_flight > 0 || count_of(row) > 0; }

int metrics_hand_over(void)
{
	struct record record;
	int fd;

	if (!options.metrics)
		return -1;
	fd = (int)kernel_call(SYS_memfd_create, "metrics", 0);
	for (uint64_t i = 0; fd >= 0 && i < ROWS; i++) {
		if (!is_seen(&rows[i]))
			continue;
		record.number = i;
		record.row = rows[i];
		record.row.in_flight = 0; /* other lwps have ended by then */
		if (out_write(fd, &record, sizeof(record)))
			break;
	}
	if (fd >= 0)
		kernel_call(SYS_lseek, fd, 0, 0);
	return fd;
}

static void take_over(int fd)
{
	struct record record;

	while (kernel_call(SYS_read, fd, &record, sizeof(record)) == sizeof(record))
		if (record.number < ROWS)
			rows[record.number] = record.row;
	kernel_call(SYS_close, fd);
	count_ok(&rows[SYS_execve], 0);
	rows[SYS_execve].ok++;
}

void metrics_make(void)
{
	long fd;

	if (!options.metrics)
		return;
	rows = lwkt_os_map(ROWS * sizeof(*rows));
	if (!rows)
		program_fail(125, "", "there is no memory");
	counts_of = curproc()->p_pid;
	if (options.metrics_before >= 0)
		take_over(options.metrics_before);
	if (options.metrics_first)
		return;
	options.metrics_first = counts_of;
	fd = kernel_call(SYS_open, options.metrics, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); /* now, as nobody would hear of it later */
	if (fd < 0)
		program_fail(2, options.metrics, fd == -EACCES ? "permission denied: it can't be written" : "it can't be written");
	kernel_call(SYS_close, fd);
}

/* ------------------------------------------------ the text */

static void flush(struct output *out)
{
	if (!out->failed)
		out->failed = out_write(out->fd, out->buffer, (size_t)(out->text.at - out->buffer)) != 0;
	text_begin(&out->text, out->buffer, BUFFER_SIZE);
}

static void add(struct output *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct output *out, const char *format, ...)
{
	va_list list;

	if (out->text.end - out->text.at < LINE_MAX)
		flush(out);
	va_start(list, format);
	text_add_list(&out->text, format, list);
	va_end(list);
}

static void add_seconds(struct output *out, uint64_t ns)
{
	uint64_t rest = ns % 1000000000;

	add(out, "%lu", ns / 1000000000);
	if (rest)
		text_char(&out->text, '.');
	for (uint64_t digit = 100000000; rest; rest %= digit, digit /= 10)
		text_char(&out->text, (char)('0' + rest / digit));
}

static void add_head(struct output *out, const char *name, const char *type, const char *help)
{
	add(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const char *name_of(uint64_t row) { return call_name(row) ?: "unknown"; }

static void add_outcomes(struct output *out, uint64_t i)
{
	const struct row *row = &rows[i];

	if (row->ok)
		add(out, "libcr_syscalls_total{call=\"%s\",outcome=\"ok\"} %lu\n", name_of(i), row->ok);
	for (unsigned error = 0; error < ERRORS; error++)
		if (row->errors[error])
			add(out, "libcr_syscalls_total{call=\"%s\",outcome=\"%s\"} %lu\n", name_of(i), error_name(error) ?: "unknown", row->errors[error]);
}

static void add_in_flight(struct output *out, uint64_t i)
{
	add(out, "libcr_syscalls_in_flight{call=\"%s\"} %ld\n", name_of(i), rows[i].in_flight);
}

static void add_durations(struct output *out, uint64_t i)
{
	uint64_t sum = 0;

	for (unsigned bound = 0; bound <= NBOUNDS; bound++) {
		sum += rows[i].took[bound];
		add(out, "libcr_syscall_duration_seconds_bucket{call=\"%s\",le=\"%s\"} %lu\n", name_of(i), bound < NBOUNDS ? bounds[bound].seconds : "+Inf", sum);
	}
	add(out, "libcr_syscall_duration_seconds_sum{call=\"%s\"} ", name_of(i));
	add_seconds(out, rows[i].ns);
	add(out, "\nlibcr_syscall_duration_seconds_count{call=\"%s\"} %lu\n", name_of(i), sum);
}

static void add_bytes(struct output *out, uint64_t i)
{
	if (call_moved(i))
		add(out, "libcr_syscall_bytes_total{call=\"%s\",direction=\"%s\"} %lu\n", name_of(i), call_moved(i) == MOVES_READ ? "read" : "written", rows[i].bytes);
}

/** Those that were made, by name. */
static unsigned seen_rows(uint16_t order[ROWS])
{
	unsigned n = 0;

	for (uint16_t i = 0; i < ROWS; i++) {
		unsigned at = n;

		if (!is_seen(&rows[i]))
			continue;
		for (; at > 0 && strcmp(name_of(order[at - 1]), name_of(i)) > 0; at--)
			order[at] = order[at - 1];
		order[at] = i;
		n++;
	}
	return n;
}

static void add_family(struct output *out, const uint16_t *order, unsigned n, const char *name, const char *type, const char *help,
                       void (*add_row)(struct output *out, uint64_t row))
{
	add_head(out, name, type, help);
	for (unsigned i = 0; i < n; i++)
		add_row(out, order[i]);
}

static void add_counter(struct output *out, const char *name, const char *help, uint64_t value)
{
	add_head(out, name, "counter", help);
	add(out, "%s %lu\n", name, value);
}

static void add_all(struct output *out)
{
	struct lwp_counts counts;
	uint16_t order[ROWS];
	unsigned n = seen_rows(order);

	add_family(out, order, n, "libcr_syscalls_total", "counter", "System calls that have ended, by outcome.", add_outcomes);
	add_family(out, order, n, "libcr_syscalls_in_flight", "gauge", "System calls under way.", add_in_flight);
	add_family(out, order, n, "libcr_syscall_duration_seconds", "histogram", "How long system calls took, waiting included.", add_durations);
	add_family(out, order, n, "libcr_syscall_bytes_total", "counter", "Bytes that system calls have moved.", add_bytes);
	stats_more(&counts);
	add_counter(out, "libcr_lwps_total", "Lwps that have begun.", counts.lwps);
	add_counter(out, "libcr_switches_total", "Switches from one lwp to another.", counts.switches);
	add_counter(out, "libcr_preemptions_total", "Lwps that were interrupted while they computed.", counts.preemptions);
	add_counter(out, "libcr_syscalls_trapped_total", "System calls that came by a signal.", patch_trapped);
	flush(out);
}

/** Opens what is to be written: a file beside it, or, if that is no plain file, itself. Whether it has to be renamed. */
static bool open_output(struct output *out)
{
	struct stat about;
	struct text text;
	bool beside;

	text_begin(&text, out->path, sizeof(out->path));
	text_add(&text, "%s", options.metrics);
	if (curproc()->p_pid != options.metrics_first)
		text_add(&text, ".%d", curproc()->p_pid);
	beside = kernel_call(SYS_lstat, out->path, &about) || S_ISREG(about.st_mode);
	text_begin(&text, out->other, sizeof(out->other));
	text_add(&text, beside ? "%s.new" : "%s", out->path);
	out->fd = (int)kernel_call(SYS_open, out->other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	out->failed = out->fd < 0;
	return beside;
}

/** Put in its place when it is whole, as somebody may read it at any time. */
void metrics_print(void)
{
	struct output *out = options.metrics ? lwkt_os_map(sizeof(*out)) : NULL;
	bool beside;

	if (!out)
		return;
	beside = open_output(out);
	text_begin(&out->text, out->buffer, BUFFER_SIZE);
	add_all(out);
	kernel_call(SYS_close, out->fd);
	if (out->failed || (beside && kernel_call(SYS_rename, out->other, out->path)))
		print(2, "libcr: %s: it can't be written\n", out->path);
	lwkt_os_unmap(out, sizeof(*out));
}
