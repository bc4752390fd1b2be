/* append_priv.h - shared by stage.c and append.c only. */
#ifndef CAMB_APPEND_PRIV_H
#define CAMB_APPEND_PRIV_H
#include "store/append.h"

struct stage {
	struct store *st;
	int fd, error;
	unsigned seq;
	time_t date;
	size_t size;
	struct buf pending;
	struct map map;
	struct strarray partitions, paths;      /* parallel: the copies, the first one being fd's */
	struct { struct buf record; struct message_info info; } parsed[2];
};

const char *stage_on(struct stage *s, const char *partition, int *err);
int stage_parse(struct stage *s, uint32_t number, const struct buf **record, const struct message_info **info);
#endif
