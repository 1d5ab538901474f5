/*
 * native-thread.cc - native userthreads: C functions of other libraries that run on the JavaScript CPU, without V8. How such a library is found and
 * checked, how the thread begins, and how JavaScript hears of its end. The library's side is include/lwkt_client.h.
 *
 * They have a resident of their own, with the plain switch: V8 was left by whoever switched to them, and is entered by whoever runs next. So
 * lwkt_exit and migration are refused to them, which would pass by the report.
 *
 * Invariants:
 *  - A NativeThread exists from create until its end has been reported, or until the environment is gone. Its slot is not used again before.
 *  - cpu->threads[slot] is nullptr from the function's return on: the lwkt_thread is libcr's again then.
 *  - What comes from a library is looked at as data, and its version checked, before anything of it runs, but for its constructors.
 */
#include "native-thread.h"

#include <dlfcn.h>

#include <cerrno>
#include <cfenv>
#include <cstring>
#include <string>

#include "cpu.h"
#include "functions.h"

namespace libcr {

static void run_native(Cpu* cpu) {
  lwkt_thread_t td = lwkt_curthread();
  auto* thread = static_cast<NativeThread*>(td->td_data);

  lwkt_crit_exit();           // the section it was born in
  std::fesetenv(FE_DFL_ENV);  // or it had what the last one on this stack left behind
  if (cpu->terminating || (td->td_flags & TDF_INTR))
    thread->error = EINTR;  // aborted before it began
  else
    thread->error = thread->func(&thread->native);
  cpu->threads[slot_of(td)] = nullptr;
  cpu->ended.push_back(static_cast<uint32_t>(slot_of(td)));
  if (!cpu->terminating) lwkt_pass_end();  // JavaScript hears of it on thread0
}

static void native_main() {
  Cpu* cpu = current_cpu();

  do {
    run_native(cpu);
  } while (lwkt_resident_adopt() || lwkt_resident_park());
}

static void native_failed(lwkt_thread_t td, int error) { current_cpu()->failures.push_back({static_cast<uint32_t>(slot_of(td)), error}); }

static const lwkt_resident native_resident = {native_main, nullptr, native_failed};

bool is_native(lwkt_thread_t td) { return td->td_resident == &native_resident; }

void report_ended(Cpu* cpu, v8::Local<v8::Context> context) {
  v8::Isolate* isolate = cpu->isolate;
  std::vector<uint32_t> ended;

  ended.swap(cpu->ended);
  for (uint32_t slot : ended) {
    auto node = cpu->natives.extract(slot);
    const NativeThread& thread = *node.mapped();
    v8::Local<v8::Value> argv[] = {v8::Integer::NewFromUnsigned(isolate, slot), v8::Integer::New(isolate, thread.error),
                                   v8::BigInt::New(isolate, thread.native.result)};

    free_slot(cpu, slot);
    cpu->native_ended.Get(isolate)->Call(context, v8::Undefined(isolate), 3, argv).IsEmpty();
  }
}

static void refuse(v8::Isolate* isolate, const char* code, const std::string& message) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  auto string_of = [isolate](const char* text) { return v8::String::NewFromUtf8(isolate, text).ToLocalChecked(); };
  v8::Local<v8::Value> error = v8::Exception::Error(string_of(message.c_str()));

  error.As<v8::Object>()->Set(context, string_of("code"), string_of(code)).FromMaybe(false);
  isolate->ThrowException(error);
}

/** Gives the library its table. Workers may do so at the same time, with the same one. */
static bool bind(const lwkt_native_entry* entry) {
  const lwkt_api* before = nullptr;

  return __atomic_compare_exchange_n(entry->client, &before, &api, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED) || before == &api;
}

/** findNative(library, symbol) -> the address of its lwkt_native_entry. Throws. The library stays loaded. */
void FindNative(Args args) {
  v8::Isolate* isolate = args.GetIsolate();
  v8::String::Utf8Value library(isolate, args[0]), symbol(isolate, args[1]);
  void* handle = dlopen(*library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

  if (!handle) return refuse(isolate, "ERR_DLOPEN_FAILED", dlerror());
  auto* entry = static_cast<const lwkt_native_entry*>(dlsym(handle, (std::string("lwkt_native_") + *symbol).c_str()));
  if (!entry)
    return refuse(isolate, "ERR_LWKT_NO_SYMBOL", std::string(*library) + " has no native thread \"" + *symbol + "\": LWKT_NATIVE(" + *symbol + ") is missing there");
  if (entry->version != LWKT_VERSION || entry->size > sizeof(lwkt_api))
    return refuse(isolate, "ERR_LWKT_VERSION",
                  std::string(*library) + " was built for version " + std::to_string(entry->version) + " of lwkt.h with a table of " +
                      std::to_string(entry->size) + " bytes, and this is version " + std::to_string(LWKT_VERSION) + " with " +
                      std::to_string(sizeof(lwkt_api)) + ": build it with the headers of this @libcr/core");
  if (!bind(entry))
    return refuse(isolate, "ERR_LWKT_VERSION", std::string(*library) + " is in use by another copy of @libcr/core in this process");
  args.GetReturnValue().Set(v8::BigInt::NewFromUnsigned(isolate, reinterpret_cast<uintptr_t>(entry)));
}

/** arg as the function is to have it. A buffer's memory is held: that the buffer is transferred or collected does not free it. */
static void take_arg(NativeThread* thread, v8::Local<v8::Value> arg) {
  size_t offset = 0;

  if (arg->IsBigInt()) {
    thread->native.arg = reinterpret_cast<void*>(static_cast<uintptr_t>(arg.As<v8::BigInt>()->Uint64Value()));
    return;
  }
  if (arg->IsArrayBufferView()) {
    v8::Local<v8::ArrayBufferView> view = arg.As<v8::ArrayBufferView>();

    offset = view->ByteOffset();
    thread->native.size = view->ByteLength();
    thread->memory = view->Buffer()->GetBackingStore();
  } else if (arg->IsArrayBuffer()) {
    thread->native.size = arg.As<v8::ArrayBuffer>()->ByteLength();
    thread->memory = arg.As<v8::ArrayBuffer>()->GetBackingStore();
  } else if (arg->IsSharedArrayBuffer()) {
    thread->native.size = arg.As<v8::SharedArrayBuffer>()->ByteLength();
    thread->memory = arg.As<v8::SharedArrayBuffer>()->GetBackingStore();
  }
  if (thread->memory) thread->native.arg = static_cast<char*>(thread->memory->Data()) + offset;
}

/** createNative(entry, priority, stackSize, name, arg, nostart) -> slot, or -errno. The thread is scheduled, unless nostart says that schedule() will do so. */
void CreateNative(Args args) {
  Cpu* cpu = current_cpu();
  auto* entry = reinterpret_cast<const lwkt_native_entry*>(static_cast<uintptr_t>(args[0].As<v8::BigInt>()->Uint64Value()));
  v8::String::Utf8Value text(cpu->isolate, args[3]);
  char name[LWKT_NAME_MAX];
  uint32_t slot = take_slot(cpu);
  auto thread = std::make_unique<NativeThread>();
  lwkt_create_args params = {};
  int error;

  std::strncpy(name, *text ? *text : "", sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  thread->func = entry->func;
  take_arg(thread.get(), args[4]);
  params.name = name;
  params.priority = args[1].As<v8::Int32>()->Value();
  params.stack_size = args[2].As<v8::Uint32>()->Value();
  params.data = thread.get();
  params.resident = &native_resident;
  if (args[5]->IsTrue()) params.flags = TDF_NOSTART;
  error = cpu->terminating ? ECANCELED : lwkt_create(nullptr, reinterpret_cast<void*>(static_cast<uintptr_t>(slot)), &cpu->threads[slot], &params);
  if (error) {
    free_slot(cpu, slot);
    args.GetReturnValue().Set(-error);
    return;
  }
  cpu->natives.emplace(slot, std::move(thread));
  if (!params.flags) loop_wake(cpu);
  args.GetReturnValue().Set(slot);
}

/** waitReason(slot) -> what a blocked thread waits for; undefined where it is runnable or has ended. */
void WaitReason(Args args) {
  lwkt_thread_t td = thread_of(current_cpu(), args);

  if (!td || (td->td_flags & TDF_RUNQ)) return;
  args.GetReturnValue().Set(v8::String::NewFromUtf8(args.GetIsolate(), td->td_wmesg ? td->td_wmesg : "somebody").ToLocalChecked());
}

}  // namespace libcr
