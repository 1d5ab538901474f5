/*
 * offload.c - system calls on helper threads, for what the kernel only offers with waiting: files that are not in the page cache,
 * fsync, waiting locks, the opening of a FIFO.
 *
 * The helpers (src/offload/helper.h) are kernel threads of this file's own, not libuv's: its pool has four, which four stuck FIFOs would occupy, and
 * Node waits for them when it exits. A helper touches nothing but its job: arguments and data are copies, as a JavaScript buffer may
 * move, shrink or go away meanwhile; and so is the descriptor, whose number may stand for another file by the time its turn comes.
 *
 * Invariants: a job belongs to the queue, then to one helper, then to its environment's list of finished jobs; `lock` guards
 * all lists and counters. Helpers take no other lock while they hold it but libuv's in uv_async_send.
 * No job waits for a helper that works for somebody else while fewer than HELPERS_MAX do so: any of them may wait for ever.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "copied.h"
#include "offload/helper.h"

#define HELPERS_MAX 64
#define HELPER_STACK (128u * 1024)
#define HELPER_IDLE_SECONDS 5

/** Where a job stands, under the lock. */
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_FINISHED };

struct job {
	struct job *next, *prev; /* in `queue` or `running`; next alone in an environment's list */
	struct offload *owner;
	struct copied call;
	int held;            /* a descriptor that open continues from and closes, or -1; the job's own */
	int fds[2];          /* the call's descriptors, duplicates of the caller's; -1 where it has none */
	int by_number;       /* it must do without duplicates: dev and ino say which files the call's descriptors stand for */
	dev_t dev[2];
	ino_t ino[2];
	enum job_state state;
	int abandoned;       /* nobody waits for it; under the lock */
	int reported;        /* its result is with JavaScript: environment's thread only */
	long result;
};

/** An environment's side. Lives until the environment and all its jobs are gone. */
struct offload {
	uv_async_t async;
	struct environment *environment; /* NULL once it is closed */
	struct job *finished;            /* not yet reported */
	int references;
	int waiting; /* jobs somebody waits for: environment's thread only */
};

/** A ring of jobs; its own next and prev are the first and the last. */
struct jobs {
	struct job head;
	unsigned count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct jobs queue = {.head = {.next = &queue.head, .prev = &queue.head}};
static struct jobs running = {.head = {.next = &running.head, .prev = &running.head}};
static unsigned helpers; /* helper threads, but for those whose job has been abandoned: they may be stuck for good */
static struct helper *idle;  /* without a job, the last that became so first */
static struct helper *ended; /* that are to be joined */
static int posix_locks;  /* this process may have some, by fcntl's F_SETLK; never unset */

static void append(struct jobs *jobs, struct job *job)
{
	job->next = &jobs->head;
	job->prev = jobs->head.prev;
	job->prev->next = job->next->prev = job;
	jobs->count++;
}

static void take(struct jobs *jobs, struct job *job)
{
	job->prev->next = job->next;
	job->next->prev = job->prev;
	jobs->count--;
}

/** The call's descriptors: two at most, in fds. How many there are. */
static int descriptors_of(const struct copied *call, int *indices)
{
	int n = 0;

	for (int i = 0; i < call->row->nargs && n < 2; i++)
		if (call->row->args[i].kind == ARG_FD && (int)call->args[i] >= 0) /* AT_FDCWD is below */
			indices[n++] = i;
	return n;
}

/** Whether the descriptors of a job that has no duplicates still stand for the same files. */
static int same_files(const struct job *job)
{
	int indices[2], n = descriptors_of(&job->call, indices);
	struct stat now;

	for (int i = 0; i < n; i++)
		if (fstat((int)job->call.args[indices[i]], &now) != 0 || now.st_dev != job->dev[i] || now.st_ino != job->ino[i])
			return 0;
	return 1;
}

/** Undoes what the job did for nobody: closes what it has opened, lets go of the lock that it has taken. */
static void undo(struct job *job)
{
	if (job->call.row->block == BLOCK_OPEN && job->result >= 0)
		close((int)job->result);
	if (job->call.number == SYS_flock && job->result == 0 && (!job->by_number || same_files(job)))
		flock((int)job->call.args[0], LOCK_UN);
	if (job->call.number == SYS_fcntl && job->result == 0) {
		struct flock *lock = (struct flock *)job->call.args[2];

		lock->l_type = F_UNLCK;
		fcntl((int)job->call.args[0], job->call.args[1] == F_SETLKW ? F_SETLK : F_OFD_SETLK, lock);
	}
}

static void job_free(struct job *job, int unused)
{
	if (unused)
		undo(job);
	for (int i = 0; i < 2; i++)
		if (job->fds[i] >= 0)
			close(job->fds[i]);
	if (job->held >= 0)
		close(job->held);
	copied_free(&job->call);
	free(job);
}

static void release(struct offload *owner)
{
	if (--owner->references == 0)
		free(owner);
}

/** Makes the job's call, as long as it takes. */
static void make_call(struct job *job)
{
	int posix_lock = job->call.number == SYS_fcntl && job->by_number;
	const struct call call = call_of(job->call.number, job->call.args);

	if (job->by_number && !same_files(job)) {
		job->result = -EBADF;
		return;
	}
	job->result = direct_blocking(&call, job->held);
	job->held = -1;
	if (posix_lock && job->result == 0)
		offload_note_posix_lock();
	if (posix_lock && job->result == 0 && !same_files(job)) { /* as the kernel does: fcntl_setlk */
		undo(job);
		job->result = -EBADF;
	}
}

/** A job is over; with the lock held. */
static void finish(struct job *job)
{
	struct offload *owner = job->owner;

	take(&running, job);
	job->state = JOB_FINISHED;
	if (owner->environment == NULL) {
		job_free(job, 1);
		release(owner);
	} else {
		job->next = owner->finished;
		owner->finished = job;
		uv_async_send(&owner->async);
	}
}

/** The next job of the queue, moved to `running`, or NULL. With the lock held. */
static struct job *next_job(void)
{
	struct job *job = queue.count > 0 ? queue.head.next : NULL;

	if (job == NULL)
		return NULL;
	take(&queue, job);
	job->state = JOB_RUNNING;
	append(&running, job);
	return job;
}

static void push(struct helper **list, struct helper *helper)
{
	helper->next = *list;
	*list = helper;
}

/** A job is over; with the lock held. Whether the helper is still one of those that are counted: others may have taken its place. */
static int is_counted_after(struct job *job)
{
	int counted = !job->abandoned;

	finish(job);
	if (!counted && helpers < HELPERS_MAX) {
		helpers++;
		counted = 1;
	}
	return counted;
}

static bool run(struct helper *helper, void *work)
{
	struct job *job = work;
	int counted;

	do {
		make_call(job);
		pthread_mutex_lock(&lock);
		counted = is_counted_after(job);
		job = counted ? next_job() : NULL;
		if (job == NULL)
			push(counted ? &idle : &ended, helper);
		pthread_mutex_unlock(&lock);
	} while (job != NULL);
	return counted;
}

/** Whether it has had no job for a while, and gets none any more. */
static bool tired(struct helper *helper)
{
	struct helper **place = &idle;

	pthread_mutex_lock(&lock);
	while (*place != NULL && *place != helper)
		place = &(*place)->next;
	bool found = *place != NULL;
	if (found) {
		*place = helper->next;
		helpers--;
		push(&ended, helper);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static const struct helper_kind kind = {
	.name = "libcr helper", .stack_size = HELPER_STACK, .idle_ns = HELPER_IDLE_SECONDS * 1000000000ull, .run = run, .tired = tired};

static void join_ended(void)
{
	pthread_mutex_lock(&lock);
	struct helper *list = ended, *next;
	ended = NULL;
	pthread_mutex_unlock(&lock);
	for (; list != NULL; list = next) {
		next = list->next;
		helper_join(list);
	}
}

/** Sees to it that each queued job has a helper, as far as HELPERS_MAX allows; with the lock held. Answers 0 or an errno. */
static int enough_helpers(void)
{
	while (queue.count > 0) {
		struct helper *helper = idle;
		if (helper != NULL) {
			idle = helper->next;
		} else {
			int error = helpers < HELPERS_MAX ? helper_new(&kind, &helper) : 0;
			if (helper == NULL)
				return helpers > 0 ? 0 : error; /* no more threads: those there are will come to it */
			helpers++;
		}
		helper_give(helper, next_job());
	}
	return 0;
}

/** Nobody waits for the job any more; with the lock held. One that was queued still is gone. */
static void give_up(struct job *job)
{
	job->abandoned = 1;
	if (job->state == JOB_QUEUED) {
		take(&queue, job);
		release(job->owner); /* never the last: the environment has one */
		job_free(job, 0);
		return;
	}
	if (job->state == JOB_RUNNING) {
		helpers--; /* until it comes back, if ever */
		enough_helpers();
	}
}

/* ---------------------------------------------------------------- jobs */

void offload_note_posix_lock(void) { __atomic_store_n(&posix_locks, 1, __ATOMIC_RELAXED); }

/**
 * Makes the call's descriptors the job's own, by duplicates. Not once this process has POSIX locks: closing any descriptor of a file ends all
 * that it has on it (fcntl(2)). Then the job goes by the number, and looks whether that stands for the same file.
 * Answers 0, -errno, or 1 where no descriptor is left to be had.
 */
static int hold_descriptors(struct job *job)
{
	struct copied *call = &job->call;
	int indices[2], n = job->held >= 0 ? 0 : descriptors_of(call, indices);
	struct stat about;

	job->by_number = (call->number == SYS_fcntl && call->args[1] == F_SETLKW) || __atomic_load_n(&posix_locks, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++) {
		int fd = (int)call->args[indices[i]];

		if (job->by_number) {
			if (fstat(fd, &about) != 0)
				return -errno;
			job->dev[i] = about.st_dev;
			job->ino[i] = about.st_ino;
			continue;
		}
		job->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (job->fds[i] < 0)
			return errno == EMFILE ? 1 : -errno;
		call->args[indices[i]] = job->fds[i];
	}
	return 0;
}

/* ---------------------------------------------------------------- the environment's side */

static void on_async(uv_async_t *handle)
{
	struct offload *offload = handle->data;

	pthread_mutex_lock(&lock);
	struct job *job = offload->finished;
	offload->finished = NULL;
	pthread_mutex_unlock(&lock);
	while (job != NULL) {
		struct job *next = job->next;
		struct environment *environment = offload->environment;

		pthread_mutex_lock(&lock);
		release(offload); /* never the last: the environment has one */
		pthread_mutex_unlock(&lock);
		if (job->abandoned) { /* on this thread */
			job_free(job, 1);
		} else {
			if (--offload->waiting == 0)
				uv_unref((uv_handle_t *)&offload->async);
			job->reported = 1;
			environment_call(environment, environment->on_done, (double)(uintptr_t)job, (double)job->result);
		}
		job = next;
	}
}

static int offload_init(struct environment *environment)
{
	struct offload *offload = calloc(1, sizeof *offload);

	if (offload == NULL)
		return -ENOMEM;
	int error = uv_async_init(environment->loop, &offload->async, on_async);
	if (error) {
		free(offload);
		return error;
	}
	offload->async.data = offload;
	offload->environment = environment;
	offload->references = 1;
	environment->open_handles++;
	environment->offload = offload;
	uv_unref((uv_handle_t *)&offload->async);
	return 0;
}

static int to_helper(struct job *job)
{
	int error;

	join_ended();
	pthread_mutex_lock(&lock);
	job->owner->references++;
	append(&queue, job);
	error = enough_helpers();
	if (error) {
		take(&queue, job);
		job->owner->references--;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

/** Without a descriptor of its own a job can't leave this kernel thread: rather a wait here than data in another file. */
static void here_and_now(struct job *job)
{
	make_call(job);
	pthread_mutex_lock(&lock);
	append(&running, job);
	job->owner->references++;
	finish(job);
	pthread_mutex_unlock(&lock);
}

double offload_start(struct environment *environment, const struct marshalled *call, long done, int held)
{
	int error = environment->offload == NULL ? offload_init(environment) : 0;

	struct job *job = error ? NULL : calloc(1, sizeof *job);

	if (job == NULL) {
		if (held >= 0)
			close(held);
		return error ? error : -ENOMEM;
	}
	job->owner = environment->offload;
	job->held = held;
	job->fds[0] = job->fds[1] = -1;
	error = copied_init(&job->call, call, done);
	if (!error)
		error = hold_descriptors(job);
	if (error < 0) {
		job_free(job, 0);
		return error;
	}
	if (error) {
		here_and_now(job);
	} else if ((error = to_helper(job)) != 0) {
		job_free(job, 0);
		return -error;
	}
	if (job->owner->waiting++ == 0)
		uv_ref((uv_handle_t *)&job->owner->async);
	return (double)(uintptr_t)job;
}

int offload_finish(struct environment *environment, double id, napi_value *values, size_t nvalues)
{
	struct job *job = (struct job *)(uintptr_t)id;
	int answer = copied_deliver(&job->call, job->result, environment, values, nvalues);

	job_free(job, 0);
	return answer;
}

void offload_abandon(struct environment *environment, double id)
{
	struct job *job = (struct job *)(uintptr_t)id;

	if (job->reported) {
		job_free(job, 1);
		return;
	}
	pthread_mutex_lock(&lock);
	give_up(job);
	pthread_mutex_unlock(&lock);
	if (--environment->offload->waiting == 0)
		uv_unref((uv_handle_t *)&environment->offload->async);
}

static void on_closed(uv_handle_t *handle)
{
	struct offload *offload = handle->data;
	struct environment *environment = offload->environment;
	struct job *job, *next;

	pthread_mutex_lock(&lock);
	offload->environment = NULL;
	for (job = offload->finished; job != NULL; job = next) {
		next = job->next;
		job_free(job, 1);
		release(offload);
	}
	for (job = queue.head.next; job != &queue.head; job = next) {
		next = job->next;
		if (job->owner == offload)
			give_up(job);
	}
	for (job = running.head.next; job != &running.head; job = job->next)
		if (job->owner == offload && !job->abandoned)
			give_up(job);
	release(offload);
	pthread_mutex_unlock(&lock);
	environment_handle_closed(environment);
}

void offload_close(struct environment *environment)
{
	struct offload *offload = environment->offload;

	if (offload == NULL)
		return;
	environment->offload = NULL;
	/* uv_async_send after uv_close does nothing bad until on_closed, which is where helpers learn of it. */
	uv_close((uv_handle_t *)&offload->async, on_closed);
}
