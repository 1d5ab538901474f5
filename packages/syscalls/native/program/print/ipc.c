/*
 * ipc.c - System V's messages, semaphores and shared memory as strace shows them. Its structs for IPC_STAT are addresses here.
 */
#include "trace.h"

#include <sys/ipc.h>
#include <sys/sem.h>

void show_ipc_key(struct text *text, uint64_t key)
{
	if ((uint32_t)key == IPC_PRIVATE)
		text_add(text, "IPC_PRIVATE");
	else
		show_hex(text, (uint32_t)key);
}

/** IPC_CREAT|0600. */
void show_ipc_flags(struct text *text, uint64_t value)
{
	const uint64_t flags = value & ~0777ull;

	if (flags) {
		show_flags(text, SET_IPC, flags);
		text_char(text, '|');
	}
	show_octal(text, value & 0777);
}

bool show_sembufs(struct text *text, uint64_t address, uint64_t n)
{
	struct sembuf op;

	if (n && copyin(&op, address, sizeof(op)))
		return false;
	text_char(text, '[');
	for (uint64_t i = 0; i < n; i++) {
		text_add(text, i ? ", " : "");
		if (i == DATA_SHOWN || copyin(&op, address + i * sizeof(op), sizeof(op))) {
			text_add(text, "...");
			break;
		}
		text_add(text, "{sem_num=%u, sem_op=%d, sem_flg=", op.sem_num, op.sem_op);
		show_flags(text, SET_SEM_FLAGS, (uint16_t)op.sem_flg);
		text_char(text, '}');
	}
	text_char(text, ']');
	return true;
}

bool show_msgbuf(struct text *text, uint64_t address, uint64_t n)
{
	long type;

	if (copyin(&type, address, sizeof(type)))
		return false;
	text_add(text, "{mtype=%ld, mtext=", type);
	show_bytes(text, address + sizeof(type), n, DATA_SHOWN);
	text_char(text, '}');
	return true;
}
