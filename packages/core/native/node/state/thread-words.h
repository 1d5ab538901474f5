/*
 * thread-words.h - V8's thread-local variables, of which each userthread has its own values although it keeps its rfork's %fs.
 *
 * V8 tells threads apart by a handful of words in its module's thread-local segment: the current isolate, the thread's number, the start of its
 * stack, and scopes that are open on it. A switch takes them off the segment and puts the next thread's there (docs/decisions/0013-thread-words.md). Which
 * words those are is found once, when the addon is first loaded: by their names in the symbol table, or by looking what V8 writes where there is none.
 *
 * Invariant: what moves is V8's and plain data. Objects that have a destructor, and what is Node's or another library's, stay the kernel thread's.
 */
#ifndef LWKT_NODE_THREAD_WORDS_H
#define LWKT_NODE_THREAD_WORDS_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "../../include/lwkt.h"

namespace libcr {

const unsigned kThreadWordsMax = 32;

/** The words that move, the same in the whole process. Offsets are bytes from the segment's beginning. */
struct ThreadWords {
  const char* way = nullptr;  // how they were found: "symbols" or "looking"; nullptr: not yet
  unsigned count = 0;
  uint16_t offset[kThreadWordsMax] = {};   // of each
  uint64_t keep[kThreadWordsMax] = {};     // the bits of each that are not V8's, and stay
  uint64_t initial[kThreadWordsMax] = {};  // what each is on a new thread
  unsigned stack_start = 0;           // which of them holds the upper end of the stack
};

/** Where a suspended thread's words are. On its stack. */
struct SavedWords {
  uint64_t word[kThreadWordsMax];
};

/** This kernel thread's segment; nullptr and why: V8's words can't be found. The first call finds them. Only on thread0, in V8. */
char* thread_words_init(const ThreadWords** words, std::string* why);

/** On a new stack, before it enters V8. stack_end: its upper end. */
void thread_words_begin(const ThreadWords& words, char* segment, const void* stack_end);

inline uint64_t& word_at(char* segment, unsigned offset) { return *reinterpret_cast<uint64_t*>(segment + offset); }

/** The leaving thread's; after V8 has been left. */
inline void thread_words_save(const ThreadWords& words, char* segment, uint64_t* to) {
  for (unsigned i = 0; i < words.count; i++) to[i] = word_at(segment, words.offset[i]);
}

/** The arriving thread's; before V8 is entered. */
inline void thread_words_restore(const ThreadWords& words, char* segment, const uint64_t* from) {
  for (unsigned i = 0; i < words.count; i++) {
    uint64_t& word = word_at(segment, words.offset[i]);
    word = (word & words.keep[i]) | (from[i] & ~words.keep[i]);
  }
}

}  // namespace libcr

#endif
