/*
 * functions.h - the functions JavaScript calls that stand in another file than addon.cc.
 */
#ifndef LWKT_NODE_FUNCTIONS_H
#define LWKT_NODE_FUNCTIONS_H

#include <v8.h>

namespace libcr {

using Args = const v8::FunctionCallbackInfo<v8::Value>&;

// remote.cc
void Reserve(Args args);
void Forsake(Args args);
void Enter(Args args);
void SetupRemote(Args args);
void Send(Args args);
void Receive(Args args);
void Hold(Args args);
v8::Local<v8::Function> host_object_class(v8::Isolate* isolate, v8::Local<v8::Context> context);

}  // namespace libcr

#endif
