/*
 * policy.c - the launcher's --policy: its rules, or a sentence where they are none. What they mean is src/policy/policy.h's.
 */
#include "program.h"

void policy_read(const char *rules)
{
	static char why[64];
	struct policy_error error;
	struct text text;

	if (policy_add(rules, &error))
		return;
	text_begin(&text, why, sizeof(why) - 1);
	text_add(&text, "%s, in --policy", error.why);
	*text.at = 0;
	program_fail(2, error.what, why);
}
