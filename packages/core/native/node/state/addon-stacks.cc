/*
 * addon-stacks.cc - addons that run C on a stack of their own, one for all callers: koffi. What two threads do there must end in the order in which it
 * began, last first, as with any stack; threads that wait there do not keep to that.
 *
 * So one thread at a time may be switched out with such an addon's frames below it; may_switch refuses it to others. A call that does not
 * wait is free: it has ended before anybody else goes on.
 *
 * Not here: the same about JSON.stringify of Node 22 (interrupted-place.cc).
 *
 * Invariant: the list has every such addon that is loaded. Addons are never unloaded from a process in which one of their calls is under way.
 */
#include <elf.h>
#include <link.h>

#include <cstring>
#include <mutex>
#include <vector>

#include "../cpu.h"
#include "return-addresses.h"

namespace libcr {

namespace {

struct Addons {
  unsigned long long added = 0;  // modules that the process had ever loaded when it was looked for them
  std::vector<Range> texts;
};

std::mutex looking;
Addons addons;

/** The file's name tells: koffi.node, or koffi-<platform>.node. */
bool has_own_stack(const char* path) {
  const char* slash = std::strrchr(path, '/');

  return std::strncmp(slash ? slash + 1 : path, "koffi", 5) == 0;
}

int look_at_module(dl_phdr_info* info, size_t, void* arg) {
  auto* found = static_cast<Addons*>(arg);

  if (!has_own_stack(info->dlpi_name)) return 0;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const auto& part = info->dlpi_phdr[i];

    if (part.p_type == PT_LOAD && (part.p_flags & PF_X)) found->texts.push_back({info->dlpi_addr + part.p_vaddr, info->dlpi_addr + part.p_vaddr + part.p_memsz});
  }
  return 0;
}

int count_modules(dl_phdr_info* info, size_t, void* arg) {
  *static_cast<unsigned long long*>(arg) = info->dlpi_adds;
  return 1;
}

std::vector<Range> texts() {
  std::lock_guard<std::mutex> guard(looking);
  unsigned long long added = 0;

  dl_iterate_phdr(count_modules, &added);
  if (added != addons.added) {
    Addons now;

    dl_iterate_phdr(look_at_module, &now);
    now.added = added;
    addons = now;
  }
  return addons.texts;
}

}  // namespace

/** Whether td, which runs, has been called by such an addon. */
bool below_addon_stack(lwkt_thread_t td) {
  std::vector<Range> ranges = texts();
  auto* end = static_cast<uintptr_t*>(lwkt_stack_end(td));

  for (auto* word = static_cast<uintptr_t*>(__builtin_frame_address(0)); word < end && !ranges.empty(); word++)
    if (returns_into(ranges, *word)) return true;
  return false;
}

}  // namespace libcr
