/*
 * strings.h - the one place that knows how each V8 copies a string's characters out.
 *
 *   V8 < 13.4   String::Write and WriteOneByte
 *   later       the same with the suffix V2; the older names are deprecated, and go
 */
#ifndef LWKT_NODE_STRINGS_H
#define LWKT_NODE_STRINGS_H

#include <v8.h>

#include <cstdint>

namespace libcr {

/** narrow: a byte for each character, which all must fit; else two. to has room for all, and gets no terminator. */
inline void copy_string(v8::Isolate* isolate, v8::Local<v8::String> text, uint8_t* to, int length, bool narrow) {
  uint16_t* wide = reinterpret_cast<uint16_t*>(to);

#if V8_MAJOR_VERSION > 13 || (V8_MAJOR_VERSION == 13 && V8_MINOR_VERSION >= 4)
  if (narrow)
    text->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(length), to);
  else
    text->WriteV2(isolate, 0, static_cast<uint32_t>(length), wide);
#else
  if (narrow)
    text->WriteOneByte(isolate, to, 0, length, v8::String::NO_NULL_TERMINATION);
  else
    text->Write(isolate, wide, 0, length, v8::String::NO_NULL_TERMINATION);
#endif
}

}  // namespace libcr

#endif
