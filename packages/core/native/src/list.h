/*
 * list.h - the doubly linked list of lwkt.h's struct lwkt_list. Not locked: a list belongs to one rfork.
 * An unlinked node points at itself, so removing one twice is harmless.
 */
#ifndef LWKT_LIST_H
#define LWKT_LIST_H

#include "../include/lwkt.h"

#define LIST_ENTRY(node, type, field) ((type *)((char *)(node) - offsetof(type, field)))

static inline void list_init(struct lwkt_list *head)
{
	head->next = head->prev = head;
}

static inline int list_empty(const struct lwkt_list *head)
{
	return head->next == head;
}

static inline void list_append(struct lwkt_list *head, struct lwkt_list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_remove(struct lwkt_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node->prev = node;
}

#endif
