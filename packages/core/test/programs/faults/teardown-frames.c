/*
 * teardown-frames.c - an addon with an object whose memory goes when its environment ends, and a method that calls JavaScript and uses that memory afterwards: what databases do.
 * See teardown-frames.test.ts.
 */
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef struct env_ *napi_env;
typedef struct value_ *napi_value;
typedef struct info_ *napi_callback_info;
typedef struct ref_ *napi_ref;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef void (*napi_finalize)(napi_env, void *, void *);

int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_call_function(napi_env, napi_value, napi_value, size_t, const napi_value *, napi_value *);
int napi_wrap(napi_env, napi_value, void *, napi_finalize, void *, napi_ref *);
int napi_unwrap(napi_env, napi_value, void **);

struct database {
	volatile int queries;
};

/* Whoever reads it afterwards dies of SIGSEGV. */
static void destroy(napi_env env, void *database, void *hint)
{
	(void)env, (void)hint;
	munmap(database, sizeof(struct database));
}

/* open(object): makes it a database */
static napi_value open_database(napi_env env, napi_callback_info info)
{
	size_t argc = 1;
	napi_value object;
	void *database = mmap(NULL, sizeof(struct database), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (database == MAP_FAILED || napi_get_cb_info(env, info, &argc, &object, NULL, NULL) || napi_wrap(env, object, database, destroy, NULL, NULL))
		abort();
	return object;
}

/* query(database, function): calls it */
static napi_value query(napi_env env, napi_callback_info info)
{
	size_t argc = 2;
	napi_value argv[2], result = NULL;
	void *wrapped;

	if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) || napi_unwrap(env, argv[0], &wrapped))
		abort();
	struct database *database = wrapped;
	database->queries++;
	napi_call_function(env, argv[0], argv[1], 0, NULL, &result);
	database->queries--;
	return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function;

	if (napi_create_function(env, "open", (size_t)-1, open_database, NULL, &function) || napi_set_named_property(env, exports, "open", function) ||
	    napi_create_function(env, "query", (size_t)-1, query, NULL, &function) || napi_set_named_property(env, exports, "query", function))
		abort();
	return exports;
}
