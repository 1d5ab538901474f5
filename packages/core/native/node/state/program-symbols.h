/*
 * program-symbols.h - the module that holds V8 (the node program, or its libnode.so), and what its symbol table says. V8's public interface does
 * not lead to a few things that a userthread needs: which thread-local variables are V8's (thread-words.cc), where its regular expressions look
 * whether they are to stop (preempt.cc).
 *
 * The table is .symtab, which the official builds of Node have. It is read from the file, and nothing of it is kept.
 */
#ifndef LWKT_NODE_PROGRAM_SYMBOLS_H
#define LWKT_NODE_PROGRAM_SYMBOLS_H

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace libcr {

/** Where V8's module lies in memory, and its thread-local segment. */
struct Module {
  uintptr_t base = 0;              // what is added to the addresses in the file
  std::string path;                // of the file
  char* tls = nullptr;             // this kernel thread's copy of the segment
  size_t tls_size = 0;             // bytes of it
  const char* tls_init = nullptr;  // what a new thread's begins with; zeros follow
  size_t tls_init_size = 0;
};

/** The module; base is 0 and path empty where it can't be found. Each kernel thread has a tls of its own. */
Module v8_module();

/** Calls look(name, symbol, arg) for each symbol of that type (STT_TLS, STT_FUNC). false: the file has no symbol table, or can't be read. */
bool each_symbol(const Module& module, unsigned char type, void (*look)(const char* name, const Elf64_Sym& symbol, void* arg), void* arg);

}  // namespace libcr

#endif
