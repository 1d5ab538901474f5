/*
 * plain.c - the interface for C (include/libcr_syscalls.h).
 */
#include "libcr_syscalls.h"

#include "descriptor/descriptor.h"
#include "policy/policy.h"
#include "wait/ways.h"

int sysmsg_policy(const char *rules)
{
	struct policy_error error;

	return policy_add(rules, &error) ? 0 : EINVAL;
}

static bool may_wait(void)
{
	return !(lwkt_curthread()->td_flags & TDF_THREAD0) && lwkt_may_wait(lwkt_mycpu());
}

static long make_call_waiting(const struct call *call)
{
	long result = __builtin_expect(policy_active, 0) ? policy_look((uint64_t)call->number) : 0;

	if (result)
		return result;
	for (const int *number = descriptor_changes; *number >= 0; number++)
		if (*number == call->number)
			return descriptor_change(NULL, call);
	if (!call_may_wait(call->number) || !may_wait())
		return make_call(NULL, call);
	result = call_waiting(NULL, call);
	return is_restart(result) ? -EINTR : result;
}

long sysmsg_make(long number, long a, long b, long c, long d, long e, long f)
{
	return make_call_waiting(&(struct call){number, {a, b, c, d, e, f}});
}

int sysmsg_putport(lwkt_port_t port, lwkt_msg_t msg)
{
	struct sysmsg *message = (struct sysmsg *)msg;
	struct call call = call_of(message->sm_number, message->sm_args);

	(void)port;
	message->sm_result = make_call_waiting(&call);
	return 0;
}

/** One round of the loop, up to the sleep, which is for who has nothing else to do. Whether that is so. */
static bool run_some(void)
{
	lwkt_dispatch(0);
	waits_look(true);
	return !lwkt_runnable();
}

int sysmsg_join(lwkt_thread_t td)
{
	if (!(lwkt_curthread()->td_flags & TDF_THREAD0))
		return EPERM;
	if (__atomic_load_n(&td->td_gd, __ATOMIC_ACQUIRE) != lwkt_mycpu())
		return EINVAL;
	while (!(td->td_flags & TDF_EXITING))
		if (run_some() && !(td->td_flags & TDF_EXITING))
			waits_idle();
	return lwkt_join(td);
}

void sysmsg_loop(void *data)
{
	(void)data;
	while (!lwkt_cpu_ending())
		if (run_some() && !lwkt_cpu_ending())
			waits_idle();
	waits_end();
}

void sysmsg_forked(void)
{
	waits_forked();
	descriptors_forked();
}

void sysmsg_use_ring(int on)
{
	waits_by_readiness(!on);
}
