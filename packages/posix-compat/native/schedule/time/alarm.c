/*
 * alarm.c - in virtual time, the timers that the kernel has otherwise: alarm and setitimer(ITIMER_REAL), and timerfds. POSIX timers are in clock/timers.c.
 *
 * A timerfd stays the kernel's, and is not armed there until its time has come here: then with the shortest time that there is, and it becomes readable at once.
 */
#include "schedule.h"

#include <sys/time.h>
#include <sys/timerfd.h>

#define SECOND 1000000000ull
#define TIMERFDS 64

struct alarm {
	uint64_t due;      /* CLOCK_MONOTONIC in virtual time; 0: it is not armed */
	uint64_t interval; /* ns */
	int fd;
};

static struct alarm itimer, timerfds[TIMERFDS];

static void first(const struct alarm *alarm, uint64_t *due)
{
	if (alarm->due && alarm->due < *due)
		*due = alarm->due;
}

uint64_t alarm_next(void)
{
	uint64_t due = timers_next();

	first(&itimer, &due);
	for (unsigned i = 0; i < TIMERFDS; i++)
		first(&timerfds[i], &due);
	return due;
}

/** Whether it is due; it is armed anew then, if it is one of several times. */
static bool expires(struct alarm *alarm)
{
	if (!alarm->due || alarm->due > clock_now())
		return false;
	alarm->due = alarm->interval ? alarm->due + alarm->interval : 0;
	return true;
}

void alarm_fire(void)
{
	static const uint64_t at_once[4] = {0, 0, 0, 1};
	siginfo_t info;

	if (expires(&itimer)) {
		memset(&info, 0, sizeof(info));
		info.si_signo = SIGALRM;
		info.si_code = SI_KERNEL;
		kernel_call(SYS_rt_sigqueueinfo, program_proc.p_pid, SIGALRM, &info);
	}
	for (unsigned i = 0; i < TIMERFDS; i++)
		if (expires(&timerfds[i]) && kernel_call(SYS_timerfd_settime, timerfds[i].fd, 0, at_once, NULL))
			timerfds[i].due = 0; /* it has been closed */
}

/* ---------------------------------------------------------------- the calls */

static void arm(struct alarm *alarm, uint64_t ns, uint64_t interval)
{
	alarm->due = ns ? clock_now() + ns : 0;
	alarm->interval = interval;
}

static uint64_t left_of(const struct alarm *alarm)
{
	return !alarm->due ? 0 : alarm->due > clock_now() ? alarm->due - clock_now() : 1;
}

static long call_alarm(const struct trapframe *tf)
{
	const uint64_t left = left_of(&itimer);

	arm(&itimer, (uint32_t)tf->tf_rdi * SECOND, 0);
	return (long)((left + SECOND - 1) / SECOND);
}

/** struct itimerval, or itimerspec: the interval and what is left. */
static long tell(const struct alarm *alarm, uint64_t to, unsigned unit)
{
	const uint64_t interval = alarm->interval, left = left_of(alarm);

	return copyout(to, (uint64_t[]){interval / SECOND, interval % SECOND / unit, left / SECOND, left % SECOND / unit}, 32);
}

static long call_setitimer(const struct trapframe *tf)
{
	uint64_t times[4] = {0};

	if (tf->tf_rsi && copyin(times, tf->tf_rsi, sizeof(times)))
		return -EFAULT;
	if (times[1] >= 1000000 || times[3] >= 1000000)
		return -EINVAL;
	if (tf->tf_rdx && tell(&itimer, tf->tf_rdx, 1000))
		return -EFAULT;
	arm(&itimer, times[2] * SECOND + times[3] * 1000, times[0] * SECOND + times[1] * 1000);
	return 0;
}

static struct alarm *alarm_of(int fd)
{
	for (unsigned i = 0; i < TIMERFDS; i++)
		if (timerfds[i].due && timerfds[i].fd == fd)
			return &timerfds[i];
	return NULL;
}

static struct alarm *new_alarm(int fd)
{
	struct alarm *alarm = alarm_of(fd);

	for (unsigned i = 0; i < TIMERFDS && !alarm; i++)
		if (!timerfds[i].due)
			alarm = &timerfds[i];
	if (alarm)
		alarm->fd = fd;
	return alarm;
}

static bool is_of_monotonic(int fd)
{
	char path[48], line[256], *clock;
	struct text text;
	long file, n;

	text_begin(&text, path, sizeof(path));
	text_add(&text, "/proc/self/fdinfo/%d", fd);
	file = kernel_call(SYS_open, path, 0);
	n = file < 0 ? 0 : kernel_call(SYS_read, file, line, sizeof(line) - 1);
	kernel_call(SYS_close, file);
	line[n > 0 ? n : 0] = 0;
	for (clock = line; (clock = strchr(clock, 'c')) && strncmp(clock, "clockid: ", 9); clock++)
		;
	return !clock || clock[9] != '0';
}

static long call_timerfd_settime(struct lwp *lwp, const struct trapframe *tf)
{
	static const uint64_t never[4];
	struct trapframe disarm = *tf;
	struct alarm *alarm;
	uint64_t times[4], value;
	long error;

	if (copyin(times, tf->tf_rdx, sizeof(times)))
		return -EFAULT;
	if (times[1] >= SECOND || times[3] >= SECOND)
		return -EINVAL;
	disarm.tf_rsi = 0;
	disarm.tf_rdx = (uint64_t)never;
	disarm.tf_r10 = 0;
	error = program_pass(lwp, &disarm);
	if (error)
		return error;
	alarm = new_alarm((int)tf->tf_rdi);
	if (!alarm)
		return -ENOMEM;
	if (tf->tf_r10 && tell(alarm, tf->tf_r10, 1))
		return -EFAULT;
	value = times[2] * SECOND + times[3];
	arm(alarm, value, times[0] * SECOND + times[1]);
	if (value && (tf->tf_rsi & TFD_TIMER_ABSTIME))
		alarm->due = is_of_monotonic(alarm->fd) ? value : value - (call_user->clock(CLOCK_REALTIME) - clock_now());
	alarm_fire();
	return 0;
}

static long call_timerfd_gettime(const struct trapframe *tf)
{
	static const struct alarm none;
	const struct alarm *alarm = alarm_of((int)tf->tf_rdi);

	return tell(alarm ? alarm : &none, tf->tf_rsi, 1);
}

long alarm_call(struct lwp *lwp, struct trapframe *tf)
{
	if (lwp->lwp_proc->p_vforked_by)
		return NOT_HANDLED;
	switch (tf->tf_number) {
	case SYS_alarm: return call_alarm(tf);
	case SYS_setitimer: return tf->tf_rdi == ITIMER_REAL ? call_setitimer(tf) : NOT_HANDLED;
	case SYS_getitimer: return tf->tf_rdi == ITIMER_REAL ? tell(&itimer, tf->tf_rsi, 1000) : NOT_HANDLED;
	case SYS_timerfd_settime: return call_timerfd_settime(lwp, tf);
	case SYS_timerfd_gettime: return call_timerfd_gettime(tf);
	}
	return NOT_HANDLED;
}

/** In a fork's child: alarms are its parent's, timerfds are both's, and its parent sees to them. */
void alarm_forked(void)
{
	memset(&itimer, 0, sizeof(itimer));
	memset(timerfds, 0, sizeof(timerfds));
}
