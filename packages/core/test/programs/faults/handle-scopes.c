/*
 * handle-scopes.c - an addon whose functions call JavaScript back with handle scopes open, as many addons do. See handle-scopes.test.ts.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct env_ *napi_env;
typedef struct value_ *napi_value;
typedef struct info_ *napi_callback_info;
typedef struct scope_ *napi_handle_scope;
typedef struct escapable_ *napi_escapable_handle_scope;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_call_function(napi_env, napi_value, napi_value, size_t, const napi_value *, napi_value *);
int napi_get_undefined(napi_env, napi_value *);
int napi_open_handle_scope(napi_env, napi_handle_scope *);
int napi_close_handle_scope(napi_env, napi_handle_scope);
int napi_open_escapable_handle_scope(napi_env, napi_escapable_handle_scope *);
int napi_close_escapable_handle_scope(napi_env, napi_escapable_handle_scope);
int napi_escape_handle(napi_env, napi_escapable_handle_scope, napi_value, napi_value *);
int napi_get_value_uint32(napi_env, napi_value, uint32_t *);

#define CHECK(call) \
	do { \
		int status_ = (call); \
		if (status_ != 0 && status_ != 10 /* napi_pending_exception */) \
			abort(); \
	} while (0)

static napi_value call_back(napi_env env, napi_value function)
{
	napi_value receiver, result = NULL;

	CHECK(napi_get_undefined(env, &receiver));
	CHECK(napi_call_function(env, receiver, function, 0, NULL, &result));
	return result;
}

/* scoped(function, n): calls it with n handle scopes open, the outermost escapable; what it returned */
static napi_value scoped(napi_env env, napi_callback_info info)
{
	size_t argc = 2;
	napi_value argv[2], result, escaped = NULL;
	napi_escapable_handle_scope outer;
	napi_handle_scope scopes[16];
	uint32_t n = 0;

	CHECK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
	CHECK(napi_get_value_uint32(env, argv[1], &n));
	if (n == 0)
		return call_back(env, argv[0]);
	CHECK(napi_open_escapable_handle_scope(env, &outer));
	for (uint32_t i = 1; i < n; i++)
		CHECK(napi_open_handle_scope(env, &scopes[i]));
	result = call_back(env, argv[0]);
	for (uint32_t i = n - 1; i >= 1; i--)
		CHECK(napi_close_handle_scope(env, scopes[i]));
	if (result)
		CHECK(napi_escape_handle(env, outer, result, &escaped));
	CHECK(napi_close_escapable_handle_scope(env, outer));
	return escaped;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function;

	CHECK(napi_create_function(env, "scoped", (size_t)-1, scoped, NULL, &function));
	CHECK(napi_set_named_property(env, exports, "scoped", function));
	return exports;
}
