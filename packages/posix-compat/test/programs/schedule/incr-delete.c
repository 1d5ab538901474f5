/*
 * incr-delete.c - a cache in which "incr" and "delete" of one key go on at once, built anew from what is told in https://github.com/memcached/memcached/issues/469: delete finds
 * the item, and unlinks it under the lock later. incr, which sees that somebody has the item, puts a new one into its place meanwhile: delete unlinks what is linked
 * no more, says that it has deleted, and the new item stays. Ends with 1 then. `mended` as an argument: delete is one step.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct item {
	int references; /* the table's, and one of each that has got it */
	bool linked;
	long value;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct item *table; /* of one key */
static bool mended, deleted;

static struct item *make(long value)
{
	struct item *item = malloc(sizeof(*item));

	*item = (struct item){.references = 1, .linked = true, .value = value};
	return item;
}

static void release(struct item *item)
{
	if (!--item->references)
		free(item);
}

static struct item *get(void)
{
	if (table)
		table->references++;
	return table;
}

static void unlink_item(struct item *item)
{
	if (!item->linked)
		return;
	item->linked = false;
	table = NULL;
	release(item);
}

static void *incr(void *arg)
{
	struct item *item, *other;

	pthread_mutex_lock(&mutex);
	item = get();
	if (item && item->references == 2) {
		item->value++;
	} else if (item) {
		other = make(item->value + 1);
		unlink_item(item);
		table = other;
	}
	if (item)
		release(item);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *delete(void *arg)
{
	struct item *item;

	pthread_mutex_lock(&mutex);
	item = get();
	if (!mended)
		pthread_mutex_unlock(&mutex);
	if (item) {
		if (!mended)
			pthread_mutex_lock(&mutex);
		unlink_item(item);
		release(item);
		deleted = true;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	(void)argv;
	mended = argc > 1;
	table = make(1);
	pthread_create(&threads[0], NULL, incr, NULL);
	pthread_create(&threads[1], NULL, delete, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (deleted && table)
		printf("deleted, and its value is %ld\n", table->value);
	return deleted && table;
}
