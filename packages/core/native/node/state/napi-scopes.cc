/*
 * napi-scopes.cc - the handle scopes of Node-API that are open where a thread waits. Node-API counts them, and the callback scopes, for each addon in its
 * environment (napi_env), and ends the process where a function of the addon's returns and the count is not what it was at its beginning. Threads that wait inside such
 * functions go on in any order; so each takes its counts with it, and has them again.
 *
 * No interface says which addons' functions a thread stands in. But each call of Node-API that can come to JavaScript keeps its napi_env on the stack. So
 * the stack is looked through for pointers to objects of the same C++ class as our own napi_env; and only where V8 has more handle scopes open than a wait that
 * JavaScript alone has led to. Both numbers (V8's, and the counters') are found by looking what changes when a scope is opened.
 *
 * Invariant: nobody's counters are above 0 but those of the running thread's functions.
 */
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "../cpu.h"
#include "read-memory.h"

namespace libcr {

namespace {

const size_t kIsolateBytes = 128 * 1024;  // of V8's isolate that are looked at, if there are so many
const size_t kEnvBytes = 192;            // of a napi_env, likewise
const int kPlainScopes = 4;  // at a switch, above those of the thread's beginning: of the blocking function's call and of the function itself, at most

/** The same in the whole process; found by the first environment. */
struct Layout {
  size_t level = 0;    // in the isolate: how many handle scopes are open; 0: not found
  size_t handles = 0;  // in a napi_env: its handle scopes
} layout;

int32_t& int_at(const void* object, size_t offset) {
  return *reinterpret_cast<int32_t*>(reinterpret_cast<uintptr_t>(object) + offset);
}

const void* class_of(const void* object) { return *static_cast<const void* const*>(object); }

/** The one int of an object that grows by 1 with each open(), as many times as that is called; 0 where there is none, or several. */
template <typename Open>
size_t find_counter(const void* object, size_t bytes, Open open) {
  std::vector<int32_t> before = read_memory<int32_t>(object, bytes), once, twice, after;
  size_t found = 0, count = 0;

  open([&] {
    once = read_memory<int32_t>(object, bytes);
    open([&] { twice = read_memory<int32_t>(object, bytes); });
  });
  after = read_memory<int32_t>(object, bytes);
  if (once.size() != before.size() || twice.size() != before.size() || after.size() != before.size()) return 0;
  for (size_t i = 0; i < before.size(); i++)
    if (once[i] == before[i] + 1 && twice[i] == before[i] + 2 && after[i] == before[i]) found = 4 * i, count++;
  return count == 1 ? found : 0;
}

struct ScopesOfV8 {
  v8::Isolate* isolate;
  template <typename Then>
  void operator()(Then then) {
    v8::HandleScope scope(isolate);
    then();
  }
};

struct ScopesOfNode {
  napi_env env;
  template <typename Then>
  void operator()(Then then) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    then();
    napi_close_handle_scope(env, scope);
  }
};

/** Of the addresses, those of napi_envs. None of them needs to be one of anything. */
void keep_envs(std::vector<uintptr_t>* words, const void* our_class) {
  std::vector<uintptr_t> envs;
  const size_t kBatch = 256;
  uintptr_t read[kBatch];
  iovec remote[kBatch];
  size_t done = 0;

  while (done < words->size()) {
    size_t n = words->size() - done < kBatch ? words->size() - done : kBatch;
    iovec local = {read, n * sizeof(uintptr_t)};
    for (size_t i = 0; i < n; i++) remote[i] = {reinterpret_cast<void*>((*words)[done + i]), sizeof(uintptr_t)};
    ssize_t bytes = process_vm_readv(getpid(), &local, 1, remote, n, 0);  // ends at the first that is no memory
    size_t good = bytes > 0 ? static_cast<size_t>(bytes) / sizeof(uintptr_t) : 0;
    for (size_t i = 0; i < good; i++)
      if (read[i] == reinterpret_cast<uintptr_t>(our_class)) envs.push_back((*words)[done + i]);
    done += good < n ? good + 1 : good;
  }
  words->swap(envs);
}

}  // namespace

bool napi_scopes_init(Cpu* cpu) {
  static std::mutex finding;
  std::lock_guard<std::mutex> guard(finding);

  if (layout.level == 0) {
    layout.handles = find_counter(cpu->env, kEnvBytes, ScopesOfNode{cpu->env});
    if (layout.handles) layout.level = find_counter(cpu->isolate, kIsolateBytes, ScopesOfV8{cpu->isolate});
  }
  return layout.level != 0;
}

int scope_level(Cpu* cpu) { return layout.level ? int_at(cpu->isolate, layout.level) : 0; }

/** Whether the running thread stands in more of V8's scopes than JavaScript alone has opened: something native has called it. */
bool has_more_scopes(Cpu* cpu) { return layout.level != 0 && scope_level(cpu) > cpu->first_level + kPlainScopes; }

NapiScopesAside::NapiScopesAside(Cpu* cpu) {
  lwkt_thread_t td = lwkt_curthread();
  uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) & ~uintptr_t{7};

  if (td->td_resident != &js_resident || !has_more_scopes(cpu)) return;
  if (below_stringify(td)) {
    stringify_ = cpu;
    cpu->stringifies++;
  }
  if (below_addon_stack(td)) {
    addon_ = cpu;
    cpu->on_addon_stacks++;
  }
  uintptr_t base = reinterpret_cast<uintptr_t>(lwkt_stack_base(td)), end = reinterpret_cast<uintptr_t>(lwkt_stack_end(td));
  if (here < base || here >= end) return;
  std::vector<uintptr_t> words;
  for (uintptr_t at = here; at + 8 <= end; at += 8) {
    uintptr_t word = *reinterpret_cast<uintptr_t*>(at);

    if ((word & 15) != 0 || word < 0x10000 || word >> 47 != 0 || (word >= base && word < end)) continue;  // what malloc answers is a multiple of 16
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  keep_envs(&words, class_of(cpu->env));
  for (uintptr_t word : words) {
    auto* env = reinterpret_cast<napi_env>(word);
    int32_t &handles = int_at(env, layout.handles), &callbacks = int_at(env, layout.handles + 4);

    if (handles == 0 && callbacks == 0) continue;
    if (!scopes_) scopes_ = std::make_unique<std::vector<NapiScope>>();
    scopes_->push_back({env, handles, callbacks});
    handles = callbacks = 0;
  }
}

NapiScopesAside::~NapiScopesAside() {
  if (stringify_) stringify_->stringifies--;
  if (addon_) addon_->on_addon_stacks--;
  if (!scopes_) return;
  for (const auto& scope : *scopes_) {
    int_at(scope.env, layout.handles) = scope.handles;
    int_at(scope.env, layout.handles + 4) = scope.callbacks;
  }
}

}  // namespace libcr
