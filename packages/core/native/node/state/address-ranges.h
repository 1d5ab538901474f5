/*
 * address-ranges.h - where code lies, and whether an address of a stack is in there: by that one sees who has called.
 */
#ifndef LWKT_NODE_ADDRESS_RANGES_H
#define LWKT_NODE_ADDRESS_RANGES_H

#include <cstdint>
#include <vector>

namespace libcr {

struct Range {
  uintptr_t begin, end;
};

/** Whether the word at that place of the stack is an address in one of the ranges. */
inline bool lies_in(const std::vector<Range>& ranges, uintptr_t word) {
  for (const Range& range : ranges)
    if (word >= range.begin && word < range.end) return true;
  return false;
}

}  // namespace libcr

#endif
