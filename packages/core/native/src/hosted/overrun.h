/*
 * overrun.h - a userthread that runs over the end of its C stack is told of by name: see overrun.c. A build without a C library has another header.
 */
#ifndef LWKT_OVERRUN_H
#define LWKT_OVERRUN_H

#include "../../include/lwkt.h"

__attribute__((visibility("hidden"))) int lwkt_overrun_init(globaldata_t gd);
__attribute__((visibility("hidden"))) void lwkt_overrun_fini(globaldata_t gd);

/** After a fork: that of a kernel thread that is no more. */
__attribute__((visibility("hidden"))) void lwkt_overrun_forget(globaldata_t gd);

#endif
