/*
 * functions.h - the functions JavaScript calls that stand in another file than addon.cc.
 */
#ifndef LWKT_NODE_FUNCTIONS_H
#define LWKT_NODE_FUNCTIONS_H

#include <v8.h>

#include "../include/lwkt.h"

namespace libcr {

using Args = const v8::FunctionCallbackInfo<v8::Value>&;

struct Cpu;

// addon.cc
lwkt_thread_t thread_of(Cpu* cpu, Args args);  // by the slot in args[0]; nullptr where it has ended

// async-wrap.cc
void ObjectsWith(Args args);
void HasContinuation(Args args);

// native-thread.cc
void FindNative(Args args);
void CreateNative(Args args);
void WaitReason(Args args);

// remote.cc
void Reserve(Args args);
void Forsake(Args args);
void Enter(Args args);
void SetupRemote(Args args);
void Send(Args args);
void Receive(Args args);
void Hold(Args args);
void Rforks(Args args);
v8::MaybeLocal<v8::Function> host_object_class(v8::Isolate* isolate, v8::Local<v8::Context> context);

// trace.cc
void TraceStart(Args args);
void TraceStop(Args args);
void TraceRead(Args args);
void TraceMark(Args args);
void TraceNote(Args args);
void TraceSlot(Args args);
void TraceId(Args args);
void TraceHooked(Args args);

// top.cc
void Figures(Args args);
void StackUsed(Args args);
void CountCputime(Args args);

// preempt.cc, interrupted-place.cc
void Preempt(Args args);
void PreemptEnd(Args args);
void Preemptions(Args args);
void PreemptionMissing(Args args);
void Terminate(Args args);
void SetupAsyncIds(Args args);
void OwnScripts(Args args);

// choose.cc
void Choose(Args args);

// watch-loop.cc
void WatchLoop(Args args);

}  // namespace libcr

#endif
