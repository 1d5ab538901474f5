/*
 * debug.c - a debug build's lines about misuse: see debug.h. One write(2) each, so that the lines of several rforks don't mix.
 */
#include "debug.h"

#ifdef LWKT_DEBUG
#include <stdarg.h>

/** Appends to a line as much as has room, and leaves some for the line's end. Answers its length. */
__attribute__((format(printf, 4, 0))) static size_t append(char *line, size_t size, size_t length, const char *format, va_list arguments)
{
	size_t more = lwkt_os_format(line + length, size - length, format, arguments);

	return more < size - length ? length + more : size - 1;
}

__attribute__((format(printf, 3, 4))) static size_t begin(char *line, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = append(line, size, 0, format, arguments);
	va_end(arguments);
	return length;
}

void lwkt_debug_misuse(const char *function, const char *format, ...)
{
	const struct lwkt_thread *td = lwkt_arch_mycpu()->gd_curthread;
	char line[512];
	size_t length;
	va_list arguments;

	length = begin(line, sizeof(line), "libcr: %s: rfork %u, thread %llu \"%s\": ", function, lwkt_cpuid(), (unsigned long long)td->td_id,
	               td->td_comm);
	va_start(arguments, format);
	length = append(line, sizeof(line), length, format, arguments);
	va_end(arguments);
	line[length++] = '\n'; /* in the NUL's place */
	lwkt_os_say(line, length);
}

/** Why the running thread can't wait. */
const char *lwkt_debug_no_wait(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (gd->gd_ipi_depth)
		return "it would block in an IPI function: have the function schedule a thread that does it";
	if (gd->gd_curthread->td_critcount)
		return "it would block inside a critical section: leave that first (lwkt_crit_exit)";
	if (gd->gd_curthread != &gd->gd_thread0)
		return "nothing would ever end the wait";
	if (gd->gd_flags & GDF_LOOP)
		return "it would block the event loop: do it on a userthread (lwkt_create)";
	return "nothing can run that would end the wait: do it on a userthread (lwkt_create), or start what it waits for first";
}

/** Why the running thread may not get from a port. */
const char *lwkt_debug_may_not_take(lwkt_port_t port)
{
	if (port->mp_td)
		return "it is another thread's, which alone takes from it: send that thread a message, or use a spin port (lwkt_initport_spin)";
	return "the caller is not in its serializer: enter that first (lwkt_serialize_enter)";
}

/** The name of the port that a message is under way to. Of one that is done no port need exist any more. */
const char *lwkt_debug_target(lwkt_msg_t msg)
{
	if (msg_flags(msg) & MSGF_DONE)
		return "done";
	return msg->ms_target_port && msg->ms_target_port->mp_name[0] ? msg->ms_target_port->mp_name : "to a port without a name";
}

/** td, which runs, ends, with what a thread should not have then. */
void lwkt_debug_thread_ends(lwkt_thread_t td)
{
	if (td->td_flags & TDF_FRESH)
		return; /* it could not begin */
	if (td->td_toks)
		lwkt_debug_misuse("lwkt_exit", "the thread ends with token \"%s\" held, which is dropped: let go of it first (lwkt_reltoken)",
		                  token_of(td->td_toks)->t_name);
	if (td->td_critcount)
		lwkt_debug_misuse("lwkt_exit", "the thread ends inside a critical section: leave that first (lwkt_crit_exit)");
}
#endif
