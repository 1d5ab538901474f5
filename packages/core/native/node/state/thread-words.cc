/*
 * thread-words.cc - which of V8's thread-local variables go with a userthread. See thread-words.h.
 *
 * By name: the symbols of the thread-local segment that are in namespace v8 and no larger than a word. Larger ones are objects (some have a destructor,
 * registered by address with the kernel thread: moved, it would run twice). Variables local to a function stay, too: the number of the
 * kernel thread is cached in one.
 *
 * By looking, where the program has no symbol table: a stack with a new thread's segment enters V8 once, and what V8 has written is what moves. Scopes that
 * happen not to be open then are not seen that way, so names come first.
 */
#include "thread-words.h"

#include <pthread.h>
#include <unistd.h>
#include <v8.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "../cpu.h"
#include "program-symbols.h"

extern "C" void* __libc_stack_end;  // glibc's: where the main thread's stack began. The other one: newer V8s take it there

namespace libcr {

namespace {

std::mutex finding;
ThreadWords found;

/** The word at that offset, taken into the set. nullptr where it is full, or the offset is none. */
uint64_t* add_word(const Module& module, ThreadWords* words, size_t offset) {
  size_t at = offset & ~size_t{7};
  unsigned i = 0;

  while (i < words->count && words->offset[i] != at) i++;
  if (i == words->count) {
    if (i == kThreadWordsMax || at + 8 > ((module.tls_size + 7) & ~size_t{7}) || at > UINT16_MAX) return nullptr;
    words->offset[words->count++] = static_cast<uint16_t>(at);
    words->keep[i] = ~uint64_t{0};
    words->initial[i] = 0;
    if (at < module.tls_init_size) std::memcpy(&words->initial[i], module.tls_init + at, module.tls_init_size - at < 8 ? module.tls_init_size - at : 8);
  }
  return &words->keep[i];
}

unsigned index_of(const ThreadWords& words, size_t offset) {
  for (unsigned i = 0; i < words.count; i++)
    if (words.offset[i] == offset) return i;
  return words.count;
}

struct Names {
  const Module* module;
  ThreadWords words;
  bool isolate, thread_id, stack_start, full;
};

void look_at_name(const char* name, const Elf64_Sym& symbol, void* arg) {
  auto* names = static_cast<Names*>(arg);
  size_t size = symbol.st_size, offset = symbol.st_value;

  if (std::strncmp(name, "_ZN2v8", 6) != 0 || size == 0 || size > 8 || offset % size != 0) return;
  if (std::strstr(name, "tls_singleton")) return;  // whether an object that stays is in use
  uint64_t* keep = add_word(*names->module, &names->words, offset);
  if (!keep) {
    names->full = true;
    return;
  }
  uint64_t bits = size == 8 ? ~uint64_t{0} : ((uint64_t{1} << (8 * size)) - 1) << (8 * (offset % 8));
  *keep &= ~bits;
  if (std::strstr(name, "g_current_isolate_")) names->isolate = true;
  if (std::strstr(name, "thread_id")) names->thread_id = true;
  if (std::strstr(name, "thread_stack_start")) {
    names->stack_start = true;
    names->words.stack_start = index_of(names->words, offset);
  }
}

bool find_by_name(const Module& module, std::string* why) {
  Names names = {&module, {}, false, false, false, false};

  if (!each_symbol(module, STT_TLS, look_at_name, &names)) {
    *why = module.path + " has no symbol table";
    return false;
  }
  if (names.full || !names.isolate || !names.thread_id || !names.stack_start) {
    *why = module.path + " names V8's thread-local variables otherwise than expected";
    return false;
  }
  found = names.words;
  found.way = "symbols";
  return true;
}

/** The upper end of this kernel thread's stack: one of the two answers that V8 takes. */
uint64_t kernel_stack_end() {
  pthread_attr_t attr;
  void* base = nullptr;
  size_t size = 0;

  if (pthread_getattr_np(pthread_self(), &attr) != 0) return 0;
  pthread_attr_getstack(&attr, &base, &size);
  pthread_attr_destroy(&attr);
  return reinterpret_cast<uintptr_t>(base) + size;
}

struct Probe {
  const Module* module;
  size_t stack_start;  // its offset
  std::vector<uint64_t> seen;
};

Probe* probe;  // under `finding`

/** On a stack of its own, with the whole segment as a new thread has it: enters V8 and leaves it, as js_main does. */
void probe_main() {
  const Module& module = *probe->module;
  v8::Isolate* isolate = current_cpu()->isolate;
  lwkt_thread_t td = lwkt_curthread();
  std::vector<char> before(module.tls, module.tls + module.tls_size);
  size_t words = module.tls_size / 8;

  lwkt_crit_exit();
  std::memset(module.tls, 0, module.tls_size);
  std::memcpy(module.tls, module.tls_init, module.tls_init_size);
  word_at(module.tls, static_cast<unsigned>(probe->stack_start)) = reinterpret_cast<uintptr_t>(lwkt_stack_end(td));
  {
    v8::Locker locker(isolate);
    v8::Isolate::Scope isolate_scope(isolate);
    v8::HandleScope handles(isolate);
    v8::Context::Scope context_scope(current_cpu()->context.Get(isolate));
    {
      v8::Unlocker unlocker(isolate);
    }
    for (size_t i = 0; i < words; i++) probe->seen.push_back(word_at(module.tls, static_cast<unsigned>(8 * i)));
  }
  isolate->DiscardThreadSpecificMetadata();
  std::memcpy(module.tls, before.data(), module.tls_size);
  while (lwkt_resident_adopt() || lwkt_resident_park()) continue;
}

const lwkt_resident probe_resident = {probe_main, nullptr, nullptr};

bool find_by_looking(const Module& module, std::string* why) {
  uint64_t end = kernel_stack_end();
  ThreadWords words;
  Probe looking = {&module, module.tls_size, {}};
  lwkt_create_args params = {};
  lwkt_thread_t td;

  for (size_t at = 0; at + 8 <= module.tls_size; at += 8) {
    uint64_t word = word_at(module.tls, static_cast<unsigned>(at));
    if (word && (word == end || word == reinterpret_cast<uintptr_t>(__libc_stack_end))) looking.stack_start = at;
  }
  if (looking.stack_start == module.tls_size) {
    *why += ", and V8's note of where its stack begins is not found";
    return false;
  }
  params.priority = TDPRI_MAX;
  params.resident = &probe_resident;
  probe = &looking;
  if (lwkt_create(nullptr, nullptr, &td, &params) == 0) lwkt_dispatch(0);
  probe = nullptr;
  lwkt_pool_trim(0, ~0u);
  for (size_t i = 0; i < looking.seen.size(); i++) {
    uint64_t fresh = 0;

    if (8 * i < module.tls_init_size) std::memcpy(&fresh, module.tls_init + 8 * i, module.tls_init_size - 8 * i < 8 ? module.tls_init_size - 8 * i : 8);
    if (looking.seen[i] == fresh) continue;
    uint64_t* keep = add_word(module, &words, 8 * i);
    if (keep) *keep = 0;
  }
  words.stack_start = index_of(words, looking.stack_start);
  if (words.count < 4 || words.stack_start == words.count) {
    *why += ", and what V8 writes for a new thread is not found";
    return false;
  }
  found = words;
  found.way = "looking";
  return true;
}

}  // namespace

char* thread_words_init(const ThreadWords** words, std::string* why) {
  std::lock_guard<std::mutex> guard(finding);
  Module module = v8_module();
  const char* way = std::getenv("LIBCR_THREAD_WORDS");  // for tests: both ways on every Node

  if (!module.tls) {
    *why = "V8's thread-local variables are not found";
    return nullptr;
  }
  if (!found.way) {
    *why = "LIBCR_THREAD_WORDS is set";
    bool by_name = !(way && std::strcmp(way, "looking") == 0) && find_by_name(module, why);
    if (!by_name && !find_by_looking(module, why)) return nullptr;
  }
  *words = &found;
  return module.tls;
}

void thread_words_begin(const ThreadWords& words, char* segment, const void* stack_end) {
  thread_words_restore(words, segment, words.initial);
  word_at(segment, words.offset[words.stack_start]) = reinterpret_cast<uintptr_t>(stack_end);
}

}  // namespace libcr
