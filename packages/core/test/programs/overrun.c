/*
 * overrun.c - a Node addon for limits.test.ts: grow(bytes) uses that much C stack, which V8's own limit knows
 * nothing of. The few Node-API functions are declared here so that it builds without Node's headers: cc
 * -shared -fPIC -o overrun.node overrun.c
 */
#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;

typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_int64(napi_env, napi_value, int64_t *);
int napi_create_int64(napi_env, int64_t, napi_value *);

static __attribute__((noinline)) int64_t use(int64_t bytes)
{
	volatile char page[1024];

	for (unsigned i = 0; i < sizeof(page); i += 64)
		page[i] = (char)bytes;
	return bytes <= (int64_t)sizeof(page) ? page[0] : use(bytes - (int64_t)sizeof(page)) + page[64];
}

static napi_value grow(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	size_t argc = 1;
	int64_t bytes = 0;

	napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
	napi_get_value_int64(env, argument, &bytes);
	napi_create_int64(env, use(bytes), &result);
	return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function;

	(void)exports;
	napi_create_function(env, "grow", 4, grow, NULL, &function);
	return function;
}
