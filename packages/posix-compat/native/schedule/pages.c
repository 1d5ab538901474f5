/*
 * pages.c - which pages of the program's own text can be executed: all, none, or the two where an lwp was last. In the last case it is counted how often it comes to another one: what
 * lies between is done at full speed, so a place that is far in instructions (an interpreter's) is told, too. When which is the case, step.c says.
 *
 * Invariants:
 *  - Only own text, and what counts as that, is ever closed. Two pages are open, as an instruction may lie in both.
 *  - Which are open goes by what the lwp itself has done in its stretch: one that is interrupted and goes on finds those that it left. So a number of pages is one place, whatever others do.
 */
#include "schedule.h"

#include <sys/mman.h>

#define PAGE 4096ull

#define TEXTS 17

static struct text_range texts[TEXTS]; /* the program's own, then libraries' */
static unsigned ntexts;
static bool changed;       /* the libraries may be others */
static bool closed;
static uint64_t opened[2]; /* the pages that are open where it is closed; or 0 */

static const struct text_range *text_at(uint64_t rip)
{
	for (unsigned i = 0; i < ntexts; i++)
		if (rip >= texts[i].from && rip < texts[i].to)
			return &texts[i];
	return NULL;
}

bool pages_are_own(uint64_t rip)
{
	return text_at(rip);
}

bool pages_closed(uint64_t at)
{
	return closed && pages_are_own(at);
}

static void protect(uint64_t from, uint64_t to, bool closes)
{
	kernel_call(SYS_mprotect, from, to - from, closes ? PROT_READ : PROT_READ | PROT_EXEC);
}

static void protect_all(bool closes)
{
	for (unsigned i = 0; i < ntexts; i++)
		protect(texts[i].from, texts[i].to, closes);
	closed = closes;
	opened[0] = opened[1] = 0;
}

static void set_page(uint64_t page, bool closes)
{
	if (page)
		protect(page, page + PAGE, closes);
}

void pages_open(void)
{
	if (closed)
		protect_all(false);
}

void pages_close(void)
{
	if (!closed || opened[0] || opened[1])
		protect_all(true);
}

void pages_resume(const struct lwp *lwp)
{
	pages_close();
	for (unsigned i = 0; i < 2; i++)
		set_page(opened[i] = lwp->lwp_paging.open[i], false);
}

void pages_begin(struct lwp *lwp, uint64_t rip)
{
	lwp->lwp_paging = (struct paging){true, {pages_are_own(rip) ? rip & ~(PAGE - 1) : 0}};
	pages_resume(lwp);
}

void pages_come(struct lwp *lwp, uint64_t to)
{
	uint64_t *open = lwp->lwp_paging.open;

	set_page(open[1], true);
	open[1] = open[0];
	open[0] = to & ~(PAGE - 1);
	set_page(open[0], false);
	memcpy(opened, open, sizeof(opened));
	lwp->lwp_moment.pages++;
}

void pages_of_threads(void)
{
	pages_open();
	if (text_threads(&texts[0]))
		strategy_is_interpreted();
	changed = true;
}

void pages_changed(void)
{
	changed = true;
}

void pages_unmapped(uint64_t from, uint64_t size)
{
	for (unsigned i = 1; i < ntexts; i++)
		if (texts[i].from < from + size && from < texts[i].to) {
			pages_open();
			ntexts = 1;
			changed = true;
		}
}

void pages_look(void)
{
	if (!changed)
		return;
	changed = false;
	pages_open();
	ntexts = 1 + libraries_named(&texts[1], TEXTS - 1);
	for (unsigned i = 1; i < ntexts; i++)
		if (libraries_is_python(texts[i].path)) /* of a program that has one in it */
			strategy_is_interpreted();
}

uint64_t pages_place(uint64_t rip, const char **library)
{
	const struct text_range *text = text_at(rip);

	*library = text ? text->path : "";
	return rip - (text ? text->base : program_base);
}

void pages_find(void)
{
	text_find(&texts[0]);
	ntexts = 1;
}
