/* json.h - as much JSON as the mailbox list's dump needs: a reader that builds a tree, a string writer. */
#ifndef CAMB_JSON_H
#define CAMB_JSON_H
#include "base/arena.h"
#include "base/buf.h"

enum { JSON_DEPTH = 16 };
enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	const char *key;              /* inside an object */
	const char *s;                /* string; number and bool as written */
	struct json *head, *tail, *next;
};

/* The one value of the text; memory from the arena. NULL on a syntax error, *line then says where (from 1). */
struct json *json_parse(struct arena *a, const char *p, size_t len, unsigned *line);
const struct json *json_get(const struct json *object, const char *key);      /* NULL when absent */
const char *json_str(const struct json *object, const char *key);             /* text of a string or number, else NULL */
void json_quote(struct buf *b, const char *s);
#endif
