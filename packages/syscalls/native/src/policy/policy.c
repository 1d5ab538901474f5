/* policy.c - see policy.h. */
#include "policy/policy.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "table/names.h"

static uint16_t errnos[POLICY_CALLS];
static bool decided[POLICY_CALLS];

bool policy_active;

long policy_look(uint64_t number)
{
	return number < POLICY_CALLS ? -(long)errnos[number] : -ENOSYS;
}

static bool always_allowed(unsigned number)
{
	return number == SYS_exit || number == SYS_exit_group || number == SYS_rt_sigreturn || number == SYS_restart_syscall;
}

static void decide(unsigned number, unsigned answer)
{
	if (decided[number])
		return;
	decided[number] = true;
	errnos[number] = always_allowed(number) ? 0 : (uint16_t)answer;
}

/** Whether there is such a call. */
static bool decide_named(const char *name, unsigned answer)
{
	long number = call_number(name);

	if (number < 0 && !is_name(name, "*"))
		return false;
	for (unsigned i = 0; i < POLICY_CALLS; i++)
		if (number < 0 || call_stands_for(i, (uint64_t)number))
			decide(i, answer);
	return true;
}

/** The word up to one of the two characters; what is behind it. */
static const char *read_word(const char *text, char word[POLICY_NAME_MAX])
{
	unsigned n = 0;

	for (; *text && *text != ':' && *text != ','; text++)
		if (n < POLICY_NAME_MAX - 1)
			word[n++] = *text;
	word[n] = 0;
	return text;
}

static bool fail(struct policy_error *error, const char *what, const char *why)
{
	size_t n = 0;

	for (; what[n] && n < sizeof(error->what) - 1; n++)
		error->what[n] = what[n];
	error->what[n] = 0;
	error->why = why;
	return false;
}

/** One rule, up to what is behind it. */
static bool add_rule(const char **text, struct policy_error *why)
{
	char action[POLICY_NAME_MAX], name[POLICY_NAME_MAX], error[POLICY_NAME_MAX] = "";
	const char *at = read_word(*text, action);
	unsigned answer = EACCES;

	at = read_word(at + (*at == ':'), name);
	if (*at == ':')
		at = read_word(at + 1, error);
	*text = at + (*at == ',');
	if (is_name(action, "allow"))
		answer = 0;
	else if (!is_name(action, "deny"))
		return fail(why, action, "neither allow nor deny");
	else if (*error && !(answer = error_number(error)))
		return fail(why, error, "no such error");
	if (!decide_named(name, answer))
		return fail(why, name, "no such system call");
	return (!*at || *at == ',') || fail(why, at, "not such a rule");
}

/** What is denied is not to be had from a ring, where nobody sees it: there is none then, but if a rule is about that itself. */
static void close_rings(void)
{
	unsigned by = 0;

	for (unsigned i = 0; i < POLICY_CALLS; i++)
		if (errnos[i])
			by |= call_made_by(i);
	if ((by & BY_IO_URING) && !decided[SYS_io_uring_setup])
		errnos[SYS_io_uring_setup] = EPERM;
	if ((by & BY_IO_SUBMIT) && !decided[SYS_io_setup])
		errnos[SYS_io_setup] = EPERM;
}

bool policy_add(const char *rules, struct policy_error *error)
{
	policy_active = true;
	while (*rules)
		if (!add_rule(&rules, error))
			return false;
	close_rings();
	return true;
}
