/*
 * overrun.h - a stack that overruns hits its guard page here, too. Who handles the process' SIGSEGV, and on which stack, is the program's affair: libcr
 * installs nothing.
 */
#ifndef LWKT_OVERRUN_H
#define LWKT_OVERRUN_H

#include "../../include/lwkt.h"

static inline int lwkt_overrun_init(globaldata_t gd)
{
	(void)gd;
	return 0;
}

static inline void lwkt_overrun_fini(globaldata_t gd)
{
	(void)gd;
}

static inline void lwkt_overrun_forget(globaldata_t gd)
{
	(void)gd;
}

#endif
