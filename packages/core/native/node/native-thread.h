/*
 * native-thread.h - what core keeps of a native userthread (native-thread.cc).
 */
#ifndef LWKT_NODE_NATIVE_THREAD_H
#define LWKT_NODE_NATIVE_THREAD_H

#include <v8.h>

#include <memory>

#include "../include/lwkt_client.h"

namespace libcr {

struct NativeThread {
  lwkt_native native = {};                   // the function's, until it returns
  int (*func)(lwkt_native* native) = nullptr;
  std::shared_ptr<v8::BackingStore> memory;  // where native.arg points into, if that is a buffer's
  int error = 0;                             // what the function answered
};

}  // namespace libcr

#endif
