/* helper.c - see helper.h. */
#include "offload/helper.h"

#include <errno.h>

#include "os/os.h"

/** The next work; false: it is tired of waiting. */
static bool wait_for_work(struct helper *self)
{
	uint64_t deadline = self->kind->idle_ns ? lwkt_os_clock() + self->kind->idle_ns : 0;

	while (!atomic_load(&self->ready)) {
		if (deadline && lwkt_os_clock() >= deadline) {
			if (self->kind->tired(self))
				return false;
			deadline = lwkt_os_clock() + self->kind->idle_ns; /* somebody is about to hand it something */
		}
		lwkt_os_futex_wait(&self->ready, 0, deadline);
	}
	return true;
}

static void helper_main(void *arg)
{
	struct helper *self = arg;
	void *work;

	self->tid = lwkt_os_tid();
	if (self->kind->begins)
		self->kind->begins(self);
	while (wait_for_work(self)) {
		work = self->work;
		atomic_store(&self->ready, 0);
		if (!work || !self->kind->run(self, work))
			return;
	}
}

int helper_new(const struct helper_kind *kind, struct helper **made)
{
	struct lwkt_os_kthread_args args = {.name = kind->name, .stack_size = kind->stack_size};
	struct helper *helper = lwkt_os_alloc(sizeof(*helper) + kind->size);
	int error = ENOMEM;

	if (helper) {
		helper->kind = kind;
		error = lwkt_os_kthread_create(&helper->kthread, &args, helper_main, helper);
	}
	if (error)
		lwkt_os_free(helper);
	else
		*made = helper;
	return error;
}

void helper_give(struct helper *helper, void *work)
{
	helper->work = work;
	atomic_store(&helper->ready, 1);
	lwkt_os_futex_wake(&helper->ready);
}

void helper_join(struct helper *helper)
{
	lwkt_os_kthread_join(helper->kthread);
	lwkt_os_free(helper);
}

void helper_end(struct helper *helper)
{
	helper_give(helper, NULL);
	helper_join(helper);
}
