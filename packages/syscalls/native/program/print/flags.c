/*
 * flags.c - numbers as names: flags, signals, modes, and numbers in strace's manner.
 */
#define WITH_FLAG_NAMES
#include "trace.h"

static const char *const signal_names[] = {
	"0",    "HUP",  "INT",    "QUIT", "ILL",  "TRAP", "ABRT", "BUS",  "FPE",  "KILL", "USR1", "SEGV", "USR2", "PIPE",  "ALRM", "TERM",
	"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS",
};

void show_hex(struct text *text, uint64_t value)
{
	text_add(text, value ? "0x%lx" : "0", value);
}

void show_address(struct text *text, uint64_t value)
{
	text_add(text, value ? "0x%lx" : "NULL", value);
}

void show_octal(struct text *text, uint64_t value)
{
	char digits[24];
	int n = sizeof(digits);

	digits[--n] = 0;
	do
		digits[--n] = (char)('0' + (value & 7));
	while (value >>= 3);
	while (n > (int)sizeof(digits) - 4)
		digits[--n] = '0';
	text_add(text, digits[n] == '0' ? "%s" : "0%s", digits + n);
}

static void show_separator(struct text *text, bool *any)
{
	if (*any)
		text_char(text, '|');
	*any = true;
}

bool flags_has_name(unsigned set, uint64_t value)
{
	const struct flag_names *names = &flag_names[set];

	for (unsigned i = 0; i < names->n; i++)
		if (names->names[i].value == (uint32_t)value)
			return true;
	return false;
}

void show_flags(struct text *text, unsigned set, uint64_t value)
{
	const struct flag_names *names = &flag_names[set];
	uint32_t low = (uint32_t)value & names->mask, rest = (uint32_t)value & ~names->mask;
	bool any = false;

	for (unsigned i = 0; i < names->n && (names->mask || !rest) && !any; i++)
		if (names->names[i].value == low) {
			text_add(text, "%s", names->names[i].name);
			any = true;
		}
	if (!any && names->mask == ~0u)
		text_add(text, "0x%x /* %s */", low, names->unknown);
	if (names->mask == ~0u)
		return;
	if (!any && low) {
		text_add(text, "0x%x", low);
		any = true;
	}
	for (unsigned i = 0; i < names->n; i++) {
		uint32_t bits = names->names[i].value;

		if (!bits || (bits & names->mask) || (rest & bits) != bits)
			continue;
		show_separator(text, &any);
		text_add(text, "%s", names->names[i].name);
		rest &= ~bits;
	}
	if (!rest && any)
		return;
	show_separator(text, &any);
	show_hex(text, rest);
}

static void add_signal(struct text *text, unsigned sig)
{
	if (sig < 32)
		text_add(text, "%s", signal_names[sig]);
	else if (sig == 32)
		text_add(text, "RTMIN");
	else
		text_add(text, "RT_%u", sig - 32);
}

void show_signal(struct text *text, uint64_t sig)
{
	if (!sig || sig > SIGNALS) {
		text_add(text, "%d", (int)sig);
		return;
	}
	text_add(text, "SIG");
	add_signal(text, (unsigned)sig);
}

void show_signal_set(struct text *text, uint64_t mask)
{
	unsigned n = 0;
	bool any = false;

	for (unsigned i = 0; i < SIGNALS; i++)
		n += mask >> i & 1;
	if (n >= SIGNALS * 2 / 3) {
		text_char(text, '~');
		mask = ~mask;
	}
	text_char(text, '[');
	for (unsigned sig = 1; sig <= SIGNALS; sig++) {
		if (!(mask & SIGNAL_BIT(sig)))
			continue;
		if (any)
			text_char(text, ' ');
		any = true;
		add_signal(text, sig);
	}
	text_char(text, ']');
}

void show_mode(struct text *text, uint32_t mode)
{
	static const struct flag_name special[] = {{"S_ISUID", 04000}, {"S_ISGID", 02000}, {"S_ISVTX", 01000}};

	if (mode & 0170000) {
		show_flags(text, SET_FILE_TYPE, mode & 0170000);
		text_char(text, '|');
	}
	for (unsigned i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (mode & special[i].value)
			text_add(text, "%s|", special[i].name);
	show_octal(text, mode & 0777);
}

void show_device(struct text *text, uint64_t device)
{
	uint64_t major = (device >> 8 & 0xfff) | (device >> 32 & 0xfffff000), minor = (device & 0xff) | (device >> 12 & 0xffffff00);

	text_add(text, "makedev(");
	show_hex(text, major);
	text_add(text, ", ");
	show_hex(text, minor);
	text_char(text, ')');
}
