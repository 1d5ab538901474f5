/*
 * curlwp.h - how the assembler finds the current lwp: what curlwp() is to C.
 */
#include "lwkt_offsets.h"

.macro load_curlwp register
	movq %gs:LWKT_GD_CURTHREAD, \register
	movq LWKT_TD_DATA(\register), \register
.endm
