/*
 * siginfo.c - what is known of a signal, as strace shows it: its members by who has sent it (sigaction(2)).
 */
#include "trace.h"

static const char *code_of(const siginfo_t *info)
{
	static const char *const sent[] = {"SI_USER", "SI_QUEUE", "SI_TIMER", "SI_MESGQ", "SI_ASYNCIO", "SI_SIGIO", "SI_TKILL", "SI_DETHREAD", "SI_ASYNCNL"};
	static const char *const of_chld[] = {"CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
	static const char *const of_segv[] = {"SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"};
	static const char *const of_bus[] = {"BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"};
	static const char *const of_ill[] = {"ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK"};
	static const char *const of_fpe[] = {"FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB"};
	static const char *const of_trap[] = {"TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT"};
	static const char *const of_poll[] = {"POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"};
	static const struct {
		int sig, n;
		const char *const *names;
	} sets[] = {{SIGCHLD, 6, of_chld}, {SIGSEGV, 4, of_segv}, {SIGBUS, 5, of_bus}, {SIGILL, 8, of_ill}, {SIGFPE, 8, of_fpe}, {SIGTRAP, 4, of_trap}, {SIGIO, 6, of_poll}};

	if (info->si_code == SI_KERNEL)
		return "SI_KERNEL";
	if (info->si_code <= 0 && info->si_code > -(int)(sizeof(sent) / sizeof(sent[0])))
		return sent[-info->si_code];
	for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (sets[i].sig == info->si_signo && info->si_code > 0 && info->si_code <= sets[i].n)
			return sets[i].names[info->si_code - 1];
	return NULL;
}

static void add_sender(struct text *text, const siginfo_t *info)
{
	text_add(text, ", si_pid=%d, si_uid=%d", info->si_pid, (int)info->si_uid);
}

static void add_value(struct text *text, const siginfo_t *info)
{
	text_add(text, ", si_int=%d, si_ptr=", info->si_int);
	show_address(text, (uint64_t)info->si_ptr);
}

static void add_child(struct text *text, const siginfo_t *info)
{
	add_sender(text, info);
	text_add(text, ", si_status=");
	if (info->si_code == CLD_EXITED)
		text_add(text, "%d", info->si_status);
	else
		show_signal(text, (uint64_t)info->si_status);
	text_add(text, ", si_utime=%ld, si_stime=%ld", info->si_utime, info->si_stime);
}

static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP;
}

static void add_members(struct text *text, const siginfo_t *info)
{
	switch (info->si_code) {
	case SI_USER:
	case SI_TKILL: add_sender(text, info); return;
	case SI_TIMER:
		text_add(text, ", si_timerid=%d, si_overrun=%d", info->si_timerid, info->si_overrun);
		add_value(text, info);
		return;
	}
	if (info->si_code < 0) {
		add_sender(text, info);
		if (info->si_int || info->si_ptr)
			add_value(text, info);
	} else if (is_fault(info->si_signo)) {
		text_add(text, ", si_addr=");
		show_address(text, (uint64_t)info->si_addr);
	} else if (info->si_signo == SIGCHLD && info->si_code != SI_KERNEL) {
		add_child(text, info);
	} else if (info->si_signo == SIGIO && info->si_code != SI_KERNEL) {
		text_add(text, ", si_band=%ld", info->si_band);
	}
}

bool show_siginfo(struct text *text, uint64_t address)
{
	siginfo_t info;

	if (copyin(&info, address, sizeof(info)))
		return false;
	text_add(text, "{si_signo=");
	show_signal(text, (uint64_t)info.si_signo);
	text_add(text, ", si_code=");
	if (code_of(&info))
		text_add(text, "%s", code_of(&info));
	else
		show_hex(text, (uint32_t)info.si_code);
	if (info.si_signo)
		add_members(text, &info);
	text_char(text, '}');
	return true;
}
