/* queues.c - invariants of what lwps wait in (check.c says which). A waiter lies on its lwp's kernel stack, and stays while it is in a queue. */
#include "check.h"

#include "pi.h"
#include "waiter.h"

/** Of each waiter in a futex's queue, under the bucket's lock. */
static void each_waiter(const struct delivery *d, void (*look)(const struct delivery *d, struct bucket *bucket, const struct waiter *waiter))
{
	for (struct bucket *bucket = futex_buckets; bucket < futex_buckets + FUTEX_BUCKETS; bucket++) {
		lwkt_word_lock(&bucket->lock);
		for (struct lwkt_list *node = bucket->waiters.next; node != &bucket->waiters; node = node->next)
			look(d, bucket, LIST_ENTRY(node, struct waiter, link));
		lwkt_word_unlock(&bucket->lock);
	}
}

static void is_queued(const struct delivery *d, struct bucket *bucket, const struct waiter *waiter)
{
	(void)d;
	HOLDS(waiter->link.next->prev == &waiter->link, "the queue of %p is no ring", (void *)waiter->address);
	HOLDS(waiter->bucket == bucket && futex_bucket_of(waiter->address) == bucket, "who waits for %p is in the bucket %p, and takes it for %p", (void *)waiter->address,
	      (void *)bucket, (void *)waiter->bucket);
	HOLDS(!waiter->woken && waiter->td, "who waits for %p is woken", (void *)waiter->address);
}

static void futex_queued(const struct delivery *d)
{
	each_waiter(d, is_queued);
}

static struct waiter no_waiter;

static bool spoil_futex_queued(const struct delivery *d)
{
	(void)d;
	list_append(&futex_buckets[0].waiters, &no_waiter.link);
	return true;
}

static void has_left(const struct delivery *d, struct bucket *bucket, const struct waiter *waiter)
{
	(void)bucket;
	HOLDS(waiter->td != d->lwp->lwp_td, "it still waits for %p", (void *)waiter->address);
}

static void futex_left(const struct delivery *d)
{
	each_waiter(d, has_left);
}

static bool spoil_futex_left(const struct delivery *d)
{
	no_waiter = (struct waiter){.bucket = futex_bucket_of(0), .td = d->lwp->lwp_td};
	list_append(&futex_bucket_of(0)->waiters, &no_waiter.link);
	return true;
}

static void pi_queued(const struct delivery *d)
{
	lwkt_word_lock(&pi_lock);
	for (unsigned i = 0; i < PI_BUCKETS; i++)
		for (struct lwkt_list *node = pi_buckets[i].next; node != &pi_buckets[i]; node = node->next) {
			const struct pi_waiter *waiter = LIST_ENTRY(node, struct pi_waiter, link);

			HOLDS(node->next->prev == node, "the queue of %p is no ring", (void *)waiter->place);
			HOLDS(waiter->queued && !waiter->told && pi_bucket_of(waiter->place) == &pi_buckets[i], "who waits for %p is in the bucket %u, %s", (void *)waiter->place, i,
			      waiter->told ? "and told" : waiter->queued ? "and that is another's" : "and does not know of it");
			HOLDS(waiter->lwp != d->lwp, "it still waits for %p", (void *)waiter->place);
		}
	lwkt_word_unlock(&pi_lock);
}

static bool spoil_pi_queued(const struct delivery *d)
{
	static struct pi_waiter waiter = {.told = true};

	(void)d;
	list_append(&pi_buckets[0], &waiter.link);
	return true;
}

static void pi_counted(const struct delivery *d)
{
	unsigned n = 0;

	(void)d;
	lwkt_word_lock(&pi_lock);
	for (unsigned i = 0; i < PI_BUCKETS; i++)
		for (struct lwkt_list *node = pi_buckets[i].next; node != &pi_buckets[i]; node = node->next)
			n++;
	HOLDS(n == pi_nwaiters, "%u wait, and %u are counted", n, pi_nwaiters);
	lwkt_word_unlock(&pi_lock);
}

static bool spoil_pi_counted(const struct delivery *d)
{
	(void)d;
	pi_nwaiters++;
	return true;
}

const struct invariant queue_invariants[] = {
	{"futex-queued", futex_queued, spoil_futex_queued},
	{"futex-left", futex_left, spoil_futex_left},
	{"pi-queued", pi_queued, spoil_pi_queued},
	{"pi-counted", pi_counted, spoil_pi_counted},
	{0},
};
