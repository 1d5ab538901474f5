/*
 * lwkt_offsets.h - where assembly finds what it needs, on an x86-64: for entry code that comes from elsewhere (a system call, a signal) and has no register
 * to spare. Nothing but numbers, so that a .S file can include it; libcr does not build where one is wrong.
 *
 *	movq %gs:LWKT_GD_CURTHREAD, %rsp     curthread
 *	movq LWKT_TD_DATA(%rsp), %rsp        its td_data
 *
 * On an rfork only: elsewhere %gs names nothing, or another rfork's area (lwkt_is_rfork).
 */
#ifndef LWKT_OFFSETS_H
#define LWKT_OFFSETS_H

#define LWKT_GD_SELF 0       /* from %gs: the area's own address (lwkt_mycpu) */
#define LWKT_GD_CURTHREAD 8  /* from %gs: the running thread (lwkt_curthread) */
#define LWKT_TD_CTX 0        /* in struct lwkt_thread: td_ctx.sp */
#define LWKT_TD_GD 24
#define LWKT_TD_FLAGS 48
#define LWKT_TD_DATA 128
#define LWKT_TD_SYSMSG 344

#endif
