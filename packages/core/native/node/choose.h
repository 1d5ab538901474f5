/*
 * choose.h - passes in which JavaScript says whose turn it is: explore().
 */
#ifndef LWKT_NODE_CHOOSE_H
#define LWKT_NODE_CHOOSE_H

#include "cpu.h"

namespace libcr {

/** One userthread has its turn, the one that cpu->choose says. In a pass. */
void dispatch_chosen(Cpu* cpu, v8::Local<v8::Context> context);

}  // namespace libcr

#endif
