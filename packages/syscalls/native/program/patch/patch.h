/*
 * patch.h - what the files of this room share. What is done to code is done under patch.c's lock, in a signal's handler.
 */
#ifndef PATCH_PATCH_H
#define PATCH_PATCH_H

#include "program.h"

#define JUMP_SIZE 5u /* jmp with a distance of four bytes */
#define MOVED_MAX 4u

/** A trampoline, in memory that the program can't write. */
struct trampoline {
	uint8_t code[64];
	uint64_t site;              /* the syscall that is replaced with what is behind; 0: it stands in for a mov, */
	uint8_t mov;                /* which has so many bytes */
	uint8_t size;               /* bytes that are written there: the rest of the jump is what is there */
	uint8_t nplaces;            /* where the instructions from behind the syscall on begin: */
	uint8_t from[MOVED_MAX + 1]; /* bytes behind the site, */
	uint8_t to[MOVED_MAX + 1];   /* and bytes behind the trampoline */
	uint8_t old[24];            /* what was at the site, or the mov's beginning */
};
#define TRAMPOLINE_SIZE 128u
#define TAIL 16u /* where a trampoline goes on behind its call */

/* ------------------------------------------------ write.c */
/** A file of /proc/self: opened for a moment, or kept open at *kept (-1: not yet), which is libcr's own then. -errno. */
int patch_open(int *kept, const char *path, int flags);
void patch_close(int fd, int kept);
bool write_code(uint64_t to, const void *bytes, size_t size);
/** A jump to `to` in place of five bytes at `site`, while others run the code; the last of them may be what they were. */
bool write_jump(uint64_t site, uint64_t to);
bool reaches(uint64_t from, uint64_t to);

/* ------------------------------------------------ trampoline.c; 0: that can't be */
/** For a mov of the number to rax, of so many bytes, and a syscall: at is that. */
uint64_t trampoline_before(uint64_t at, uint32_t number, uint8_t mov);
/** For a syscall and the instructions behind it, which it has in its tail. */
uint64_t trampoline_behind(uint64_t at);
/** How many bytes of the program's stand in such a one, from the syscall on. */
size_t trampoline_length(uint64_t trampoline);
/** How many bytes of a jump to it are written. */
size_t trampoline_jump(uint64_t trampoline);
/** Whether the code at the site is still what this trampoline was made for, jump or not. */
bool trampoline_fits(uint64_t trampoline, uint64_t at);
/** In a copy of the code at `at`, what was there before the jumps. */
void trampolines_undo(uint8_t *bytes, uint64_t at, size_t size);

/* ------------------------------------------------ window.c */
/** Whether a syscall and what is behind it, `length` bytes in all, may become a jump of `size` bytes: nothing of the program's goes into the middle of it. */
bool window_is_free(uint64_t at, size_t length, size_t size);
/** Whether unwinders find in the file's table that this is where signal handlers return to: `size` bytes, and nothing else. */
bool window_is_restorer(uint64_t begin, size_t size);

/* ------------------------------------------------ patch.c */
/** The trampoline to whose tail calls from here go, or 0. By anyone, at any time. */
uint64_t patch_trampoline(uint64_t at);
/** In a fork's child: nobody else patches. */
void patch_forked(void);
void window_forked(void);
#endif
