/* convrow.h - the records of USER.conversations, kept by 3.x with `conversations` (spec/databases.md 15). Ours neither reads nor
 * writes that database for mail: this is for tools and checks. Numbers of unread fields are kept, so that what is read can be
 * written back. */
#ifndef CAMB_CONVROW_H
#define CAMB_CONVROW_H
#include "base/arena.h"
#include "base/buf.h"

enum convrow_kind {
	CONVROW_MSGID,                   /* <message-id>: its conversations */
	CONVROW_CONV,                    /* B + id: a conversation */
	CONVROW_FOLDER,                  /* F + mailbox: counts */
	CONVROW_GUID,                    /* G + guid : folder : uid [part] */
	CONVROW_NAMES,                   /* $FOLDER_IDS, $FOLDER_NAMES, $COUNTED_FLAGS: lists of words */
	CONVROW_QUOTA,                   /* Q: emails and bytes */
	CONVROW_OTHER
};
enum convrow_kind convrow_kind(const char *key, size_t len);

/* Everything below: 0, ERR_NOTFOUND (another version of the record) or ERR_BADFORMAT. Memory is the arena's. */
struct convmsgid { uint64_t *cids; size_t n; int64_t when; };
int convmsgid_parse(struct arena *a, const char *p, size_t len, struct convmsgid *m);
void convmsgid_print(const struct convmsgid *m, struct buf *out);

struct convfolder { uint32_t number; uint64_t modseq; uint32_t records, exists, unseen; };
struct convsender { const char *name, *route, *mailbox, *domain; int64_t lastseen; uint32_t exists; };      /* NULL: NIL */
struct convmessage { uint8_t guid[20]; uint32_t exists; int64_t internaldate; };
struct conversation {
	uint64_t modseq, size, createdmodseq;
	uint32_t records, exists, unseen;
	uint32_t *counts;                /* one for each of $COUNTED_FLAGS */
	struct convfolder *folders;
	struct convsender *senders;
	struct convmessage *messages;
	size_t ncounts, nfolders, nsenders, nmessages;
	const char *subject;             /* NULL: NIL */
	unsigned fields;                 /* how many the record had: older ones lack some at the end (8 to 11) */
};
int conversation_parse(struct arena *a, const char *p, size_t len, struct conversation *c);
void conversation_print(const struct conversation *c, struct buf *out);

struct convcounts {
	uint64_t threadmodseq;
	uint32_t threadexists, threadunseen, emailexists, emailunseen;
	bool emails;                     /* the last two are there: older records lack them */
};
int convcounts_parse(const char *p, size_t len, struct convcounts *f);
void convcounts_print(const struct convcounts *f, struct buf *out);

struct convguid { uint8_t version; uint64_t cid; uint32_t system_flags, internal_flags; int64_t internaldate; };
int convguid_parse(const char *p, size_t len, struct convguid *g);
void convguid_print(const struct convguid *g, struct buf *out);
struct convguidkey {
	uint8_t guid[20];
	const char *folder, *part;       /* part NULL: the message itself */
	size_t folderlen, partlen;
	uint32_t uid;
};
int convguidkey_parse(const char *p, size_t len, struct convguidkey *k);         /* points into p */
void convguidkey_print(const struct convguidkey *k, struct buf *out);

int convnames_parse(struct arena *a, const char *p, size_t len, const char *const **names, size_t *n);
void convnames_print(const char *const *names, size_t n, struct buf *out);

struct convquota { uint64_t emails, bytes; };
int convquota_parse(const char *p, size_t len, struct convquota *q);
void convquota_print(const struct convquota *q, struct buf *out);
#endif
