/*
 * program-symbols.cc - finds V8's module by the address of one of V8's functions, and reads its symbol table from the file.
 *
 * Invariant: nothing that the file says is believed without its bounds; a file that makes no sense has no symbols.
 */
#include "program-symbols.h"

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <v8.h>

#include <cstring>

namespace libcr {

namespace {

struct Search {
  uintptr_t address;
  Module* module;
};

int look_at_module(dl_phdr_info* info, size_t, void* arg) {
  auto* search = static_cast<Search*>(arg);
  Module found;
  bool here = false;

  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) & header = info->dlpi_phdr[i];
    uintptr_t begin = info->dlpi_addr + header.p_vaddr;

    if (header.p_type == PT_LOAD && search->address >= begin && search->address < begin + header.p_memsz) here = true;
    if (header.p_type != PT_TLS) continue;
    found.tls = static_cast<char*>(info->dlpi_tls_data);
    found.tls_size = header.p_memsz;
    found.tls_init = reinterpret_cast<const char*>(begin);
    found.tls_init_size = header.p_filesz;
  }
  if (!here) return 0;
  found.base = info->dlpi_addr;
  found.path = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
  *search->module = found;
  return 1;
}

/** A file in memory, as long as this lives. */
class Mapping {
 public:
  explicit Mapping(const std::string& path) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0) return;
    if (fstat(fd, &status) == 0 && status.st_size > 0) {
      void* address = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
      if (address != MAP_FAILED) {
        data_ = static_cast<const char*>(address);
        size_ = static_cast<size_t>(status.st_size);
      }
    }
    close(fd);
  }
  ~Mapping() {
    if (data_) munmap(const_cast<char*>(data_), size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /** count things of type T at that offset of the file; nullptr where it has not so many bytes there. */
  template <typename T>
  const T* at(uint64_t offset, uint64_t count = 1) const {
    return data_ && offset % alignof(T) == 0 && offset <= size_ && count <= (size_ - offset) / sizeof(T) ? reinterpret_cast<const T*>(data_ + offset) : nullptr;
  }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace

Module v8_module() {
  Module module;
  v8::Isolate* (*function)() = &v8::Isolate::GetCurrent;
  Search search = {reinterpret_cast<uintptr_t>(function), &module};

  dl_iterate_phdr(look_at_module, &search);
  return module;
}

bool each_symbol(const Module& module, unsigned char type, void (*look)(const char* name, const Elf64_Sym& symbol, void* arg), void* arg) {
  Mapping file(module.path);
  const Elf64_Ehdr* header = file.at<Elf64_Ehdr>(0);

  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) return false;
  const Elf64_Shdr* sections = file.at<Elf64_Shdr>(header->e_shoff, header->e_shnum);
  if (!sections) return false;
  for (unsigned i = 0; i < header->e_shnum; i++) {
    const Elf64_Shdr& table = sections[i];

    if (table.sh_type != SHT_SYMTAB || table.sh_link >= header->e_shnum) continue;
    const Elf64_Shdr& names = sections[table.sh_link];
    uint64_t count = table.sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym* symbols = file.at<Elf64_Sym>(table.sh_offset, count);
    const char* text = file.at<char>(names.sh_offset, names.sh_size);

    if (!symbols || !text || names.sh_size == 0 || text[names.sh_size - 1] != '\0') continue;
    for (uint64_t k = 0; k < count; k++)
      if (ELF64_ST_TYPE(symbols[k].st_info) == type && symbols[k].st_shndx != SHN_UNDEF && symbols[k].st_name < names.sh_size) look(text + symbols[k].st_name, symbols[k], arg);
    return true;
  }
  return false;
}

}  // namespace libcr
