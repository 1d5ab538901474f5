/* execve.h - this process becomes another program. */
#ifndef EXECVE_H
#define EXECVE_H

#include <node_api.h>

napi_value execve_it(napi_env env, napi_callback_info info);
#endif
