/*
 * return-addresses.h - who has called: the words of a stack that are return addresses into code of which one knows where it lies.
 *
 * A stack holds more than return addresses: numbers, addresses of functions, what a vector register had when the dynamic linker put it aside. In a Node that is
 * linked to a fixed place, code's addresses are small numbers. So a word counts only if a call stands before what it points to.
 *
 * Not here: whether the function has returned since. What is left of it may lie on in holes of the frames that came after.
 */
#ifndef LWKT_NODE_RETURN_ADDRESSES_H
#define LWKT_NODE_RETURN_ADDRESSES_H

#include <cstdint>
#include <cstring>
#include <vector>

namespace libcr {

/** Code: from its first byte up to the one after its last. It can be read. */
struct Range {
  uintptr_t begin, end;
};

/** Whether a call ends at that address, of whose code at least the given number of bytes can be read before it. */
inline bool follows_call(uintptr_t address, uintptr_t readable) {
  const auto* at = reinterpret_cast<const uint8_t*>(address);
#if defined(__x86_64__)
  auto through = [&](unsigned length, unsigned mod, bool sib) {  // call *register or *memory: ff /2, with a displacement as mod says
    if (readable < length || at[-static_cast<int>(length)] != 0xff) return false;
    unsigned modrm = at[1 - static_cast<int>(length)];
    return (modrm >> 3 & 7) == 2 && modrm >> 6 == mod && ((modrm & 7) == 4 && mod != 3) == sib;
  };

  if (readable >= 5 && at[-5] == 0xe8) return true;
  if (through(2, 3, false) || through(2, 0, false) || through(3, 0, true) || through(3, 1, false) || through(4, 1, true) || through(6, 2, false) || through(7, 2, true))
    return true;
  return readable >= 6 && at[-6] == 0xff && at[-5] == 0x15;  // relative to the instruction
#elif defined(__aarch64__)
  uint32_t instruction;

  if (readable < 4 || (address & 3) != 0) return false;
  std::memcpy(&instruction, at - 4, 4);
  return instruction >> 26 == 0x25 || (instruction & 0xfffffc1f) == 0xd63f0000;  // bl, blr
#else
#error "how calls are encoded"
#endif
}

/** Whether the word is a return address into one of the ranges. A range's last call may end where the next function begins. */
inline bool returns_into(const std::vector<Range>& ranges, uintptr_t word) {
  for (const Range& range : ranges)
    if (word > range.begin && word <= range.end && follows_call(word, word - range.begin)) return true;
  return false;
}

}  // namespace libcr

#endif
