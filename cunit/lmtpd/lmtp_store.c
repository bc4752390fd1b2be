/* lmtp_store.c - what the LMTP tests ask of a store, from the command line: make mailboxes, set quotas and options, print
 * messages. */
#include "base/err.h"
#include "base/num.h"
#include "conf/program.h"
#include "store/mailbox.h"
#include "store/mboxlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int create(struct store *st, const char *name, const char *acl)
{
	struct buf b = BUF_INIT;
	for (; *acl; acl++) buf_putc(&b, *acl == ' ' ? '\t' : *acl);
	buf_putc(&b, '\t');
	struct mailbox_create c = { .name = name, .partition = "default", .acl = buf_cstr(&b) };
	int r = mailbox_create(st, &c);
	buf_free(&b);
	return r;
}

static int quota(struct store *st, const char *name, const char *kib)
{
	struct quota q;
	struct mailbox *mb;
	if (quota_read(st, name, &q)) {
		memset(&q, 0, sizeof q);
		for (int i = 0; i < QUOTA_RESOURCES; i++) q.limit[i] = QUOTA_UNLIMITED;
	}
	q.limit[QUOTA_STORAGE] = atol(kib);
	int r = quota_write(st, name, &q);
	if (!r) r = mailbox_open(st, name, &mb);
	if (r) return r;
	r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) r = mailbox_set_quotaroot(mb, name);
	mailbox_close(&mb);
	return r;
}

static int option(struct store *st, const char *name, const char *bits)
{
	struct mailbox *mb;
	uint32_t v;
	int r = num_str_u32(bits, &v) ? mailbox_open(st, name, &mb) : ERR_SYNTAX;
	if (r) return r;
	r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) {
		mb->h.options |= v;
		mailbox_touch_index(mb);
	}
	mailbox_close(&mb);
	return r;
}

/* "UID INTERNALDATE PATH" of every message. */
static int list(struct store *st, const char *name)
{
	struct mailbox *mb;
	struct index_record rec;
	struct buf path = BUF_INIT;
	int r = mailbox_open(st, name, &mb);
	if (r) return r;
	r = mailbox_lock(mb, LOCK_SHARED);
	for (uint32_t n = 1; !r && n <= mb->h.num_records; n++) {
		r = mailbox_record(mb, n, &rec);
		buf_reset(&path);
		if (!r) r = mailbox_message_path(mb, &rec, &path);
		if (!r) printf("%u %lld %s\n", rec.uid, (long long)rec.internaldate, buf_cstr(&path));
	}
	buf_free(&path);
	mailbox_close(&mb);
	return r;
}

int main(int argc, char **argv)
{
	struct conf *conf;
	struct store *st;
	if (argc < 4) return 64;
	int r = program_init(&conf, argv[1], "lmtp_store", PROGRAM_NEED_DATA | PROGRAM_PERROR);
	if (r) return r;
	r = store_open(&st, conf, true);
	if (!r && !strcmp(argv[2], "create") && argc == 5) r = create(st, argv[3], argv[4]);
	else if (!r && !strcmp(argv[2], "quota") && argc == 5) r = quota(st, argv[3], argv[4]);
	else if (!r && !strcmp(argv[2], "option") && argc == 5) r = option(st, argv[3], argv[4]);
	else if (!r && !strcmp(argv[2], "list")) r = list(st, argv[3]);
	if (r) fprintf(stderr, "%s: %s\n", argv[3], err_text(r));
	store_close(st);
	conf_free(conf);
	return r != 0;
}
