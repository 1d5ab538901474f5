/*
 * file.c - a recording's file: its head, which all processes have in common and a replay has of its own, and space, which is taken from there.
 *
 * A file that can't get longer (RLIMIT_FSIZE, a full disk) is no affair of the program's: that is said once, of all processes, and the recording ends there. What is recorded from then
 * on goes nowhere.
 *
 * Invariant: no write to the file raises a signal: what would lie behind the limit is not written at all.
 *
 * Not here: what is written where (log.c, contents.c).
 */
#include "record.h"
#include "own.h"

#include <fcntl.h>
#include <sys/mman.h>

#define HEAD_AT 0x12f000000000ull

struct record_head *log_head;
int log_fd = -1;
bool log_is_over;
static bool has_begun;

void log_fail(long error)
{
	program_fail(125, "record",
	             error == -ENOSPC  ? "there is no room for the recording"
	             : error == -EFBIG ? "the recording would be longer than a file may be (ulimit -f)"
	                               : "the recording can't be written");
}

void log_end_here(long error)
{
	uint32_t none = 0;

	if (!has_begun)
		log_fail(error);
	if (__atomic_compare_exchange_n(&log_head->rh_ended, &none, (uint32_t)-error, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		print(2, "libcr: record: the recording ends here, and the program goes on: %s\n", error_text((unsigned)-error));
	log_is_over = true;
	log_leave_window();
}

bool log_may_write(uint64_t end)
{
	if (!log_is_over && __atomic_load_n(&log_head->rh_ended, __ATOMIC_RELAXED)) { /* of another process: this one's would be longer than what is known of that */
		log_is_over = true;
		log_leave_window();
	}
	if (log_is_over)
		return false;
	if (end <= out_longest())
		return true;
	log_end_here(-EFBIG);
	return false;
}

uint64_t log_take(uint64_t size, uint64_t align)
{
	uint64_t end = __atomic_load_n(&log_head->rh_end, __ATOMIC_SEQ_CST), place;

	do
		place = (end + align - 1) & ~(align - 1);
	while (!__atomic_compare_exchange_n(&log_head->rh_end, &end, place + size, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return place;
}

uint64_t log_put(uint64_t address, uint64_t n, uint64_t place)
{
	uint64_t done = 0;

	if (!log_may_write(place + n))
		return n;
	while (done < n) {
		const long written = kernel_call(SYS_pwrite64, log_fd, address + done, n - done, place + done);

		if (written == -EFAULT)
			break;
		if (written <= 0 && written != -EINTR) {
			log_end_here(written ? written : -EIO);
			return n;
		}
		done += written > 0 ? (uint64_t)written : 0;
	}
	return done;
}

void log_map_head(int of)
{
	const long base = kernel_call(SYS_mmap, HEAD_AT, RECORD_HEAD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, of, 0);

	if (is_error(base))
		log_fail(base);
	log_head = (struct record_head *)base;
}

int log_open_file(const char *path, int flags)
{
	int opened = (int)kernel_call(SYS_open, path, flags | O_CLOEXEC, 0666);

	if (opened < 0)
		program_fail(125, path,
		             opened == -ENOENT   ? flags & O_CREAT ? "there is no such directory" : "there is no such file"
		             : opened == -EACCES ? "permission denied"
		                                 : "can't be opened");
	return own_move_inherited(opened);
}

void log_create(const char *path)
{
	log_fd = log_open_file(path, O_RDWR | O_CREAT | O_TRUNC);
	if (out_longest() < RECORD_HEAD_SIZE)
		log_fail(-EFBIG);
	if (kernel_call(SYS_ftruncate, log_fd, RECORD_HEAD_SIZE))
		log_fail(-EIO);
	log_map_head(log_fd);
	log_head->rh_end = RECORD_HEAD_SIZE;
	log_head->rh_version = RECORD_VERSION;
	log_head->rh_magic = RECORD_MAGIC;
	log_go_on(log_new_stream(true));
	has_begun = true;
}

void log_inherit(int inherited)
{
	own_keep_inherited(inherited);
	log_fd = inherited;
	log_map_head(log_fd);
	log_is_over = log_head->rh_ended != 0;
	has_begun = true;
}
