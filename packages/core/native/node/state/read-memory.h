/*
 * read-memory.h - reads memory whose end is not known: what V8 and Node keep in their own structures, which is found by looking.
 *
 * Invariant: an address where nothing is ends the answer, and faults never.
 */
#ifndef LWKT_NODE_READ_MEMORY_H
#define LWKT_NODE_READ_MEMORY_H

#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

namespace libcr {

/** What is in memory from there on, up to so many bytes, as far as there is any. */
template <typename T>
std::vector<T> read_memory(const void* from, size_t bytes) {
  const size_t page = 4096;
  std::vector<T> read(bytes / sizeof(T));
  std::vector<iovec> remote;
  iovec local = {read.data(), bytes};

  for (size_t at = 0; at < bytes; at += page) remote.push_back({static_cast<char*>(const_cast<void*>(from)) + at, bytes - at < page ? bytes - at : page});
  ssize_t got = process_vm_readv(getpid(), &local, 1, remote.data(), remote.size(), 0);
  read.resize(got > 0 ? static_cast<size_t>(got) / sizeof(T) : 0);
  return read;
}

}  // namespace libcr

#endif
