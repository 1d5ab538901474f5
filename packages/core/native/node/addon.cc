/*
 * addon.cc - the functions JavaScript calls, and the addon's beginning and end in each environment. src/native.ts is its type.
 *
 * These are thin: they check nothing that TypeScript has checked already, but never trust a slot number.
 */
#include <cerrno>
#include <cstring>
#include <string>

#include "state/async-ids.h"
#include "state/continuation.h"
#include "cpu.h"
#include "functions.h"
#include "preempt/hardclock.h"

namespace libcr {
namespace {

v8::Local<v8::String> string_of(v8::Isolate* isolate, const char* text) {
  return v8::String::NewFromUtf8(isolate, text).ToLocalChecked();
}

}  // namespace

Cpu::Cpu() = default;
Cpu::~Cpu() = default;

uint32_t take_slot(Cpu* cpu) {
  if (cpu->free_slots.empty()) {
    cpu->threads.push_back(nullptr);
    cpu->continuation.emplace_back();
    cpu->watched.push_back(false);
    cpu->stack_sizes.push_back(0);
    return static_cast<uint32_t>(cpu->threads.size() - 1);
  }
  uint32_t slot = cpu->free_slots.back();
  cpu->free_slots.pop_back();
  return slot;
}

std::string stack_text(v8::Isolate* isolate) {
  v8::HandleScope handles(isolate);
  v8::Local<v8::StackTrace> trace = v8::StackTrace::CurrentStackTrace(isolate, 32);
  std::string text;

  for (int i = 0; i < trace->GetFrameCount(); i++) {
    v8::Local<v8::StackFrame> frame = trace->GetFrame(isolate, i);
    v8::String::Utf8Value function(isolate, frame->GetFunctionName());
    v8::String::Utf8Value script(isolate, frame->GetScriptNameOrSourceURL());
    bool named = *function && function.length() > 0;

    text += i == 0 ? "    at " : "\n    at ";
    if (named) text += std::string(*function) + " (";
    text += std::string(*script ? *script : "<anonymous>") + ":" + std::to_string(frame->GetLineNumber()) + ":" + std::to_string(frame->GetColumn());
    if (named) text += ")";
  }
  return text;
}

lwkt_thread_t thread_of(Cpu* cpu, Args args) {
  uint32_t slot = args[0]->IsUint32() ? args[0].As<v8::Uint32>()->Value() : ~0u;

  return slot < cpu->threads.size() ? cpu->threads[slot] : nullptr;
}

namespace {

/** create(priority, stackSize, name, nostart) -> slot, or -errno. The thread is scheduled, unless nostart says that schedule() will do so. */
void Create(Args args) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  lwkt_create_args params = {};
  char name[LWKT_NAME_MAX];
  v8::Local<v8::Data> continuation = get_continuation(isolate);
  uint32_t slot = take_slot(cpu);
  int error;

  params.priority = args[0].As<v8::Int32>()->Value();
  cpu->stack_sizes[slot] = std::size_t{1} << (64 - __builtin_clzl(args[1].As<v8::Uint32>()->Value() - 1));
  params.stack_size = stack_to_map(cpu->stack_sizes[slot]);
  params.resident = &js_resident;
  if (args[2]->IsString()) {
    v8::String::Utf8Value text(isolate, args[2]);
    std::strncpy(name, *text ? *text : "", sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    params.name = name;
  }
  if (args[3]->IsTrue()) params.flags = TDF_NOSTART;
  error = cpu->terminating ? ECANCELED : lwkt_create(nullptr, reinterpret_cast<void*>(static_cast<uintptr_t>(slot)), &cpu->threads[slot], &params);
  if (error) {
    free_slot(cpu, slot);
    args.GetReturnValue().Set(-error);
    return;
  }
  if (has_continuation(continuation)) cpu->continuation[slot].Reset(isolate, continuation);
  if (!params.flags) loop_wake(cpu);
  args.GetReturnValue().Set(slot);
}

/** schedule(slot): make it runnable. Unknown slots are ignored: the thread has ended. */
void Schedule(Args args) {
  Cpu* cpu = current_cpu();
  lwkt_thread_t td = thread_of(cpu, args);

  if (td && lwkt_schedule(td) == 0) loop_wake(cpu);
}

/** interrupt(slot): its present or next wait ends with kBlockInterrupted. */
void Interrupt(Args args) {
  Cpu* cpu = current_cpu();
  lwkt_thread_t td = thread_of(cpu, args);

  if (td && lwkt_interrupt(td) == 0) loop_wake(cpu);
}

/** setpri(slot, priority) -> errno or 0. */
void SetPriority(Args args) {
  lwkt_thread_t td = thread_of(current_cpu(), args);

  args.GetReturnValue().Set(td ? lwkt_setpri(td, args[1].As<v8::Int32>()->Value()) : ESRCH);
}

void answer(Args args, BlockResult result) {
  Cpu* cpu = current_cpu();

  if (result == kBlockTerminating) request_termination(cpu);
  args.GetReturnValue().Set(static_cast<int32_t>(result));
}

/** block() -> BlockResult. The running userthread sleeps until somebody schedules it; or for no reason at all. */
void Block(Args args) {
  Cpu* cpu = current_cpu();
  BlockResult result;

  {
    Away away(cpu);
    result = deliver_here(cpu) ? after_wait(cpu) : block_current("javascript");
  }
  answer(args, result);
}

/** yield() -> BlockResult. Others that are runnable go first. */
void Yield(Args args) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = cpu->isolate;
  lwkt_thread_t td = lwkt_curthread();

  if (td == lwkt_thread0()) return answer(args, kBlockThread0);
  if (may_switch(cpu) != kBlockOk) return answer(args, may_switch(cpu));
  remote_first(cpu);
  if (lwkt_yield_wanted()) {
    v8::HandleScope handles(isolate);  // as in block_current: napi-scopes.cc counts them
    v8::Local<v8::Data> continuation = get_continuation(isolate);
    Away away(cpu);
    NapiScopesAside scopes(cpu);
    lwkt_yield();
    set_continuation(isolate, continuation);
  }
  answer(args, after_wait(cpu));
}

/** refusal() -> BlockResult: kBlockOk where the running thread can be switched out. */
void Refusal(Args args) { args.GetReturnValue().Set(static_cast<int32_t>(may_switch(current_cpu()))); }

/** watched(on) -> what it was. On a userthread. */
void Watched(Args args) {
  Cpu* cpu = current_cpu();
  if (lwkt_curthread() == lwkt_thread0()) return;
  size_t slot = static_cast<size_t>(slot_of(lwkt_curthread()));
  args.GetReturnValue().Set(cpu->watched[slot] != 0);
  cpu->watched[slot] = args[0]->IsTrue();
}

/** joinContext(function): of a context that scripts run in. */
void AddJoinContext(Args args) {
  v8::Local<v8::Context> context;

#if V8_MAJOR_VERSION >= 14
  bool has = args[0]->IsObject() && args[0].As<v8::Object>()->GetCreationContext(args.GetIsolate()).ToLocal(&context);
#else
  bool has = args[0]->IsObject() && args[0].As<v8::Object>()->GetCreationContext().ToLocal(&context);
#endif
  if (has) join_add(current_cpu(), context);
}

/** Runs on the visited thread's stack. */
void capture_stack(void* arg) { *static_cast<std::string*>(arg) = stack_text(current_cpu()->isolate); }

/** stack(slot) -> the JavaScript stack of a suspended userthread as text; undefined for one that has none. A native one is never in V8. */
void Stack(Args args) {
  Cpu* cpu = current_cpu();
  lwkt_thread_t td = thread_of(cpu, args);
  v8::Local<v8::Data> continuation = get_continuation(cpu->isolate);
  std::string text;

  if (!td || is_native(td) || lwkt_visit(td, capture_stack, &text) != 0) return;
  set_continuation(cpu->isolate, continuation);
  args.GetReturnValue().Set(string_of(cpu->isolate, text.c_str()));
}

/** stats() -> struct Stats of src/native.ts */
void Stats(Args args) {
  Cpu* cpu = current_cpu();
  v8::Isolate* isolate = args.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Object> out = v8::Object::New(isolate);
  struct lwkt_stats stats;

  lwkt_stats(&stats);
  const struct {
    const char* name;
    double value;
  } rows[] = {
      {"switches", static_cast<double>(stats.st_switches)},     {"created", static_cast<double>(stats.st_created)},
      {"alive", static_cast<double>(stats.st_alive)},           {"pooled", static_cast<double>(stats.st_pooled)},
      {"runnable", static_cast<double>(stats.st_runnable)},     {"stacksCreated", static_cast<double>(stats.st_stacks_created)},
      {"stacksFreed", static_cast<double>(stats.st_stacks_freed)}, {"passes", static_cast<double>(cpu->passes)},
      {"ipisSent", static_cast<double>(stats.st_ipis_sent)},    {"ipisReceived", static_cast<double>(stats.st_ipis)},
  };
  for (const auto& row : rows)
    out->Set(context, string_of(isolate, row.name), v8::Number::New(isolate, row.value)).FromMaybe(false);
  args.GetReturnValue().Set(out);
}

/** trim(keep, max) -> how many idle stacks were given back. thread0 only. */
void Trim(Args args) {
  args.GetReturnValue().Set(lwkt_pool_trim(args[0].As<v8::Uint32>()->Value(), args[1].As<v8::Uint32>()->Value()));
}

/** setup(entry, failed, resource, noop, nativeEnded, terminated): once, before the first create. */
void Setup(Args args) {
  Cpu* cpu = current_cpu();

  cpu->entry.Reset(cpu->isolate, args[0].As<v8::Function>());
  cpu->failed.Reset(cpu->isolate, args[1].As<v8::Function>());
  cpu->noop.Reset(cpu->isolate, args[3].As<v8::Function>());
  cpu->native_ended.Reset(cpu->isolate, args[4].As<v8::Function>());
  cpu->terminated.Reset(cpu->isolate, args[5].As<v8::Function>());
  cpu->resource.Reset(cpu->isolate, args[2].As<v8::Object>());
  cpu->async_context = node::EmitAsyncInit(cpu->isolate, args[2].As<v8::Object>(), "LWKT");
}

void on_closed(void* arg) {
  Cpu* cpu = static_cast<Cpu*>(arg);
  void (*done)(void*) = cpu->cleanup_done;
  void* done_arg = cpu->cleanup_arg;

  lwkt_thread0_is_loop(nullptr, nullptr);
  lwkt_cpu_fini();  // EBUSY where a userthread would not end: its memory is abandoned
  done(done_arg);   // before the hook's handle goes with the Cpu
  delete cpu;
}

void on_cleanup(void* arg, void (*done)(void*), void* done_arg) {
  Cpu* cpu = static_cast<Cpu*>(arg);
  v8::HandleScope handles(cpu->isolate);

  if (cpu->hardclock) cpu->hardclock->end();
  cpu->hardclock = nullptr;
  remote_close(cpu);
  terminate_userthreads(cpu);
  unguard_continuation(cpu);
  join_close(cpu);
  cpu->entry.Reset();
  cpu->failed.Reset();
  cpu->noop.Reset();
  cpu->native_ended.Reset();
  cpu->choose.Reset();
  cpu->terminated.Reset();
  cpu->watch.on_block.Reset();
  cpu->async_ids.reset();
  cpu->resource.Reset();
  cpu->context.Reset();
  cpu->continuation.clear();
  cpu->cleanup_done = done;
  cpu->cleanup_arg = done_arg;
  loop_close(cpu, on_closed);
}

void initialize(napi_env env, v8::Local<v8::Object> exports) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  int error = lwkt_cpu_init();
  const struct {
    const char* name;
    v8::FunctionCallback callback;
  } functions[] = {
      {"setup", Setup}, {"create", Create}, {"schedule", Schedule}, {"interrupt", Interrupt}, {"setpri", SetPriority},
      {"block", Block}, {"refusal", Refusal}, {"watched", Watched}, {"joinContext", AddJoinContext}, {"yield", Yield},   {"stats", Stats},       {"trim", Trim},
      {"stack", Stack}, {"reserve", Reserve}, {"forsake", Forsake}, {"enter", Enter}, {"setupRemote", SetupRemote}, {"send", Send}, {"receive", Receive},
      {"hold", Hold},   {"findNative", FindNative}, {"createNative", CreateNative}, {"waitReason", WaitReason},
      {"traceStart", TraceStart}, {"traceStop", TraceStop}, {"traceRead", TraceRead}, {"traceMark", TraceMark}, {"traceNote", TraceNote},
      {"traceSlot", TraceSlot}, {"traceId", TraceId}, {"traceHooked", TraceHooked},
      {"preempt", Preempt}, {"preemptEnd", PreemptEnd}, {"preemptions", Preemptions}, {"preemptionMissing", PreemptionMissing}, {"terminate", Terminate},
      {"setupAsyncIds", SetupAsyncIds}, {"ownScripts", OwnScripts}, {"watchLoop", WatchLoop}, {"choose", Choose},
      {"rforks", Rforks}, {"figures", Figures}, {"stackUsed", StackUsed}, {"countCputime", CountCputime},
      {"objectsWith", ObjectsWith}, {"hasContinuation", HasContinuation},
  };

  if (error == EEXIST) {
    isolate->ThrowException(v8::Exception::Error(string_of(isolate, "libcr: @libcr/core is loaded twice in one thread")));
    return;
  }
  if (error) {
    isolate->ThrowException(v8::Exception::Error(string_of(isolate, std::strerror(error))));
    return;
  }
  // V8 refuses to collect wasm code while other threads' stacks are archived, and aborts; fetch alone has wasm in it (undici).
  v8::V8::SetFlagsFromString("--no-wasm-code-gc");

  Cpu* cpu = new Cpu();
  cpu->isolate = isolate;
  cpu->env = env;
  cpu->context.Reset(isolate, context);
  cpu->loop = node::GetCurrentEventLoop(isolate);
  v8::Local<v8::ArrayBuffer> shared = v8::ArrayBuffer::New(isolate, kSharedCount * sizeof(int32_t));
  cpu->shared_memory = shared->GetBackingStore();
  cpu->shared = static_cast<int32_t*>(cpu->shared_memory->Data());
  cpu->shared[kRunning] = -1;
  guard_continuation(cpu);
  lwkt_thread0_is_loop(js_switch, cpu);
  static const ThreadWords none;
  std::string why;
  cpu->words = &none;  // while they are looked for
  cpu->segment = thread_words_init(&cpu->words, &why);
  if (!cpu->segment) {
    isolate->ThrowException(v8::Exception::Error(string_of(isolate, ("libcr: " + why).c_str())));
    return;
  }
  bool join_stacks = join_init(cpu, context), napi_scopes = napi_scopes_init(cpu);
  if (loop_init(cpu) != 0) {
    isolate->ThrowException(v8::Exception::Error(string_of(isolate, "libcr: the event loop refuses another handle")));
    return;
  }
  cpu->cleanup = node::AddEnvironmentCleanupHook(isolate, on_cleanup, cpu);
  // Any of these may be empty: a Worker may be told to end while it loads this, and then V8's interfaces answer nothing. The exception is pending by then.
  for (const auto& f : functions) {
    v8::Local<v8::Function> function;
    if (!v8::FunctionTemplate::New(isolate, f.callback)->GetFunction(context).ToLocal(&function)) return;
    function->SetName(string_of(isolate, f.name));
    exports->Set(context, string_of(isolate, f.name), function).FromMaybe(false);
  }
  exports->Set(context, string_of(isolate, "shared"), v8::Int32Array::New(shared, 0, kSharedCount)).FromMaybe(false);
  exports->Set(context, string_of(isolate, "threadWords"), string_of(isolate, cpu->words->way)).FromMaybe(false);
  exports->Set(context, string_of(isolate, "joinStacks"), v8::Boolean::New(isolate, join_stacks)).FromMaybe(false);
  exports->Set(context, string_of(isolate, "napiScopes"), v8::Boolean::New(isolate, napi_scopes)).FromMaybe(false);
  exports->Set(context, string_of(isolate, "onDefaultLoop"), v8::Boolean::New(isolate, cpu->loop == uv_default_loop())).FromMaybe(false);
  v8::Local<v8::Function> host_object;
  if (!host_object_class(isolate, context).ToLocal(&host_object)) return;
  exports->Set(context, string_of(isolate, "HostObject"), host_object).FromMaybe(false);
  // Of this context, which is Node's own: what was loaded into another one gets at Node's own require() by it (src/host.ts).
  v8::Local<v8::String> name = string_of(isolate, "process");
  v8::Local<v8::Value> process;  // a getter of Node's has it
  if (!context->Global()->Get(context, name).ToLocal(&process)) return;
  exports->Set(context, name, process).FromMaybe(false);
  exports->Set(context, string_of(isolate, "api"), v8::BigInt::NewFromUnsigned(isolate, reinterpret_cast<uintptr_t>(&api))).FromMaybe(false);
}

}  // namespace
}  // namespace libcr

// Node-API, for terminate.cc; but everything else here is V8's own interface, which another release of Node has otherwise.
NAPI_MODULE_INIT() {
  const napi_node_version* version;
  v8::Local<v8::Value> object;

  if (napi_get_node_version(env, &version) != napi_ok || version->major != NODE_MAJOR_VERSION) {
    napi_throw_error(env, nullptr, "libcr: @libcr/core's native half was built for Node " NODE_STRINGIFY(NODE_MAJOR_VERSION));
    return nullptr;
  }
  static_assert(sizeof(object) == sizeof(exports), "to Node-API a value is V8's handle of it");
  std::memcpy(static_cast<void*>(&object), &exports, sizeof(object));
  libcr::initialize(env, object.As<v8::Object>());
  return exports;
}
