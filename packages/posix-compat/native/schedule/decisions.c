/*
 * decisions.c - a schedule as a list: the places at which another lwp goes on than would have by itself. A run from a seed writes it (--schedule-log), a run of
 * --schedule=seed:N,list:DECISIONS or seed:N,list:/FILE goes by it. So what a seed has found can be made shorter, by leaving out what is not needed.
 *
 *   [PROCESS@]THREAD.POINT=NEXT      as THREAD makes the call that ends its stretch POINT, NEXT goes on (by itself THREAD would)
 *   [PROCESS@]THREAD.POINT+N=NEXT    after N own instructions of that stretch (likewise)
 *   [PROCESS@]THREAD.POINT:N=NEXT    where THREAD waits in that call, or ends, having had the processor N times since (by itself who has waited longest)
 *
 *   [PROCESS@]THREAD.POINT=time, THREAD.POINT+N=time   there time moves to the first timer, before that
 *   [PROCESS@]THREAD.POINT+N/P=...   as with +N, but where after those N instructions the thread has come to P pages of own code (pages.c)
 *
 * THREAD and NEXT are numbers of birth, a stretch is what a thread does from one call to the next, PROCESS is the lineage, of the first process none.
 *
 * Invariant: places are told by what the thread itself has done, so a place stays the same one where a decision elsewhere is left out.
 */
#include "schedule.h"

#include <fcntl.h>

#define TEXT_MAX (1u << 20) /* bytes of a file */
#define DECISIONS_MAX 20000

struct decision {
	uint64_t lineage;
	struct moment moment;
	uint64_t next;
};

static struct decision list[DECISIONS_MAX]; /* nothing is mapped: the program's addresses are those of a run without */
static unsigned ndecisions, cursor;

static void refuse(void)
{
	program_fail(2, "--schedule", "list:DECISIONS, each [PROCESS@]THREAD.POINT[+N|+N/P|:N]=NEXT or (not with :N) =time, with commas between, or list:/FILE with one a line");
}

static const char *number(const char *text, uint64_t *to)
{
	if (*text < '0' || *text > '9')
		refuse();
	for (*to = 0; *text >= '0' && *text <= '9'; text++)
		*to = *to * 10 + (uint64_t)(*text - '0');
	return text;
}

static const char *expect(const char *text, char separator)
{
	if (*text != separator)
		refuse();
	return text + 1;
}

static const char *read_one(const char *text, struct decision *decision)
{
	*decision = (struct decision){.moment.at = AT_CALL};
	text = number(text, &decision->moment.thread);
	if (*text == '@') {
		decision->lineage = decision->moment.thread;
		text = number(text + 1, &decision->moment.thread);
	}
	text = number(expect(text, '.'), &decision->moment.point);
	if (*text == '+' || *text == ':') {
		decision->moment.at = *text == '+' ? AT_STEP : AT_WAIT;
		text = number(text + 1, &decision->moment.n);
	}
	if (*text == '/' && decision->moment.at == AT_STEP) {
		text = number(text + 1, &decision->moment.pages);
		if (!decision->moment.pages)
			refuse();
	}
	text = expect(text, '=');
	if (strncmp(text, "time", 4))
		return number(text, &decision->next);
	if (decision->moment.at == AT_WAIT)
		refuse();
	decision->next = NEXT_TIME;
	return text + 4;
}

/** A file's text, with a 0 behind it. */
static const char *read_file(const char *path)
{
	const int fd = (int)kernel_call(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
	static char text[TEXT_MAX];
	long size = 0, n = 1;

	if (fd < 0)
		program_fail(2, path, "can't be read");
	while (n > 0 && size < (long)TEXT_MAX - 1) {
		n = kernel_call(SYS_read, fd, text + size, TEXT_MAX - 1 - size);
		size += n > 0 ? n : 0;
	}
	kernel_call(SYS_close, fd);
	if (n < 0 || size == TEXT_MAX - 1)
		program_fail(2, path, n < 0 ? "can't be read" : "is longer than a schedule may be");
	return text;
}

void decisions_read(const char *text)
{
	const bool is_file = *text == '/';

	if (is_file)
		text = read_file(text);
	while (*text) {
		if (ndecisions == DECISIONS_MAX)
			program_fail(2, "--schedule", "no more than 20000 decisions");
		text = read_one(text, &list[ndecisions++]);
		while (is_file && *text && *text != '\n') /* where that is, for people */
			text++;
		if (*text && *text++ != (is_file ? '\n' : ','))
			refuse();
	}
}

static bool is_at(const struct decision *decision, const struct moment *moment)
{
	const struct moment *its = &decision->moment;

	return its->at == moment->at && its->thread == moment->thread && its->point == moment->point && its->n == moment->n && its->pages == moment->pages && decision->lineage == options.lineage;
}

bool decisions_find(const struct moment *moment, uint64_t *next)
{
	for (unsigned i = 0; i < ndecisions; i++) { /* mostly they come in their order */
		const unsigned k = (cursor + i) % ndecisions;

		if (list[k].next != NEXT_TIME && is_at(&list[k], moment)) {
			*next = list[k].next;
			cursor = (k + 1) % ndecisions;
			return true;
		}
	}
	return false;
}

bool decisions_time_moves(const struct moment *moment)
{
	for (unsigned i = 0; i < ndecisions; i++)
		if (list[i].next == NEXT_TIME && is_at(&list[i], moment))
			return true;
	return false;
}

static bool is_of_stretch(const struct decision *decision, const struct moment *moment)
{
	return decision->moment.thread == moment->thread && decision->moment.point == moment->point && decision->lineage == options.lineage;
}

static bool is_before(const struct moment *one, const struct moment *other)
{
	return one->n < other->n || (one->n == other->n && one->pages < other->pages);
}

/** Where its pages are counted its instructions are not any more. */
struct quantum decisions_next_step(const struct lwp *lwp)
{
	const struct moment *here = &lwp->lwp_moment, *first = NULL;

	for (unsigned i = 0; i < ndecisions; i++) {
		const struct moment *its = &list[i].moment;

		if (its->at == AT_STEP && is_of_stretch(&list[i], here) && is_before(here, its) && (!lwp->lwp_paging.is_on || its->n == here->n) && (!first || is_before(its, first)))
			first = its;
	}
	return first ? (struct quantum){first->n - here->n, first->pages - here->pages} : (struct quantum){0};
}

/** Opened for each, as the program may close any descriptor, change its limits, or run another program. */
void decisions_write(const struct moment *moment, uint64_t next, const char *call, uint64_t rip)
{
	static const char marks[] = {[AT_STEP] = '+', [AT_WAIT] = ':'};
	char line[160 + TEXT_PATH];
	const char *library;
	uint64_t place;
	struct text text;
	int fd;

	if (!options.schedule_log)
		return;
	text_begin(&text, line, sizeof(line));
	if (options.lineage)
		text_add(&text, "%lu@", (unsigned long)options.lineage);
	text_add(&text, "%lu.%lu", (unsigned long)moment->thread, (unsigned long)moment->point);
	if (moment->at != AT_CALL)
		text_add(&text, "%c%lu", marks[moment->at], (unsigned long)moment->n);
	if (moment->pages)
		text_add(&text, "/%lu", (unsigned long)moment->pages);
	if (next == NEXT_TIME)
		text_add(&text, "=time ");
	else
		text_add(&text, "=%lu ", (unsigned long)next);
	if (moment->at == AT_STEP) {
		place = pages_place(rip, &library);
		text_add(&text, *library ? "%s+0x%lx\n" : "%s0x%lx\n", library, (unsigned long)place);
	} else {
		text_add(&text, "%s\n", call ? call : "?");
	}
	fd = (int)kernel_call(SYS_open, options.schedule_log, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	out_write(fd, line, strlen(line));
	kernel_call(SYS_close, fd);
}
