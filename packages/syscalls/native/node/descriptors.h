/*
 * descriptors.h - what is remembered of descriptors, so that a call need not be tried that is known not to be the right one.
 *
 * Of stream sockets: that a descriptor is one whose reads wait, and that the last read has emptied it. The next read of such a one need not look first
 * whether there is something, find nothing, and ask what kind of file that is: three system calls of the five that a message cost.
 *
 * Of files: that what is read here and there of one was not in the page cache: the next reads go to the ring at once, as to try each in place first, in vain, takes
 * two system calls. Every now and then one is tried.
 *
 * And that one has been opened with O_DIRECT, and that the device does not take JavaScript's memory. To find that out takes the kernel half of the way to
 * the device.
 *
 * It is a hint. Whoever closes a descriptor past this library and opens something else there leaves a wrong one behind: of a socket it lasts for one
 * read, which waits although it need not, and then makes the call that the descriptor is for.
 *
 * One table for the process, as descriptors are the process's: a byte for each, which any thread may read and write.
 */
#ifndef LIBCR_SYSCALLS_DESCRIPTORS_H
#define LIBCR_SYSCALLS_DESCRIPTORS_H

/** fd is a stream socket whose reads wait, and there was nothing to be read. */
void stream_found(int fd);

/** Whether it is known to be one. */
int stream_is_known(int fd);

/** A read of a known one has got some of the bytes that it asked for. */
void stream_read(int fd, long got, long asked);

/** Whether it has been read empty; true once, so that who asks again looks at the socket itself. */
int stream_is_empty(int fd);

/** A read at an offset of fd, a file, would have had to wait for the device. */
void file_missed(int fd);

/** Whether the next one is likely to have to; counted. */
int file_will_miss(int fd);

/** fd is open with O_DIRECT, and has refused memory that is not aligned. */
void direct_found(int fd);

int direct_is_known(int fd);

/** The descriptors from first to last are others from now on, or have other flags. */
void descriptor_forget(unsigned first, unsigned last);

#endif
