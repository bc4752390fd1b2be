/* fuzz_acl.c - any bytes as an access control list, an identifier and rights: what is changed is what is granted, and nothing else.
 *
 * The input is three strings with NULs between: list, identifier, rights. For libFuzzer: clang -fsanitize=fuzzer,address
 * -DFUZZ_NO_MAIN. Without that, main() replays the files of a directory, each also cut at every length and with single bytes
 * exchanged, which is how `make check` runs it. */
#include "auth/acl.h"
#include "base/mem.h"
#include "sys/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok) __builtin_trap();
}

struct count {
	size_t entries, same;
	const char *id;
	struct buf others;                      /* all entries but id's */
};

static void count_entry(void *arg, const char *id, const char *rights)
{
	struct count *c = arg;
	require(*id && !strchr(id, '\t') && !strchr(rights, '\t'));
	c->entries++;
	if (!strcmp(id, c->id)) c->same++;
	else buf_printf(&c->others, "%s\t%s\t", id, rights);
}

static struct count take_stock(const char *acl, const char *id)
{
	struct count c = { .id = id };
	acl_each(acl, count_entry, &c);
	return c;
}

static bool in_any(void *arg, const char *group)
{
	(void)arg;
	return *group == 'a';
}

static void try_change(const char *acl, const char *id, enum acl_how how, uint32_t rights, const struct acl_macros *m)
{
	char *changed = acl_change(acl, id, how, rights, m), *again = acl_change(changed, id, how, rights, m);
	struct count before = take_stock(acl, id), after = take_stock(changed, id);
	require(!strcmp(changed, again));                                            /* twice is once */
	require(before.others.len == after.others.len && !buf_cmp(&before.others, &after.others));      /* nobody else's rights */
	require(after.same <= (before.same ? before.same : 1));
	require(after.same || how == ACL_REMOVE || !rights);
	if (how == ACL_SET && rights && *id != '-') {
		struct acl_who who = { id, NULL, NULL };
		if (!strcmp(id, "anyone") || strncmp(id, "group:", 6)) {
			uint32_t r = acl_evaluate(changed, &who, m);
			struct buf minus = BUF_INIT;
			buf_printf(&minus, "-%s\t", id);
			if (!strstr(changed, buf_cstr(&minus)) && !strstr(changed, "-anyone\t")) require((r & rights) == rights);
			buf_free(&minus);
		}
	}
	buf_free(&before.others);
	buf_free(&after.others);
	free(changed);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "c", "d", "x" };
	char *copy = mem_dup(data, size), *end = copy + size;
	const char *acl = copy, *id = acl + strlen(acl) + (acl + strlen(acl) < end), *letters = id + strlen(id) + (id + strlen(id) < end);
	bool nameable = *id && !strchr(id, '\t');            /* what the commands let through */
	for (int i = 0; i < 3; i++) {
		struct acl_macros m = acl_macros(words[i]);
		struct acl_who nobody = { NULL, in_any, NULL }, who = { id, in_any, NULL };
		struct buf b = BUF_INIT;
		char bad;
		uint32_t rights = acl_rights_parse(letters, &m, &bad);
		require(bad || strspn(letters, "lrswipkxtecdan0123456789") == strlen(letters));
		acl_rights_print(&b, rights, &m);
		require(acl_rights_parse(buf_cstr(&b), &m, &bad) == rights && !bad);
		uint32_t all = acl_evaluate(acl, &nobody, &m);
		acl_evaluate(acl, &who, &m);
		require(!(all & ~(ACL_FULL | ACL_ALL_USER)));
		for (int how = ACL_SET; nameable && how <= ACL_REMOVE; how++) try_change(acl, id, (enum acl_how)how, rights, &m);
		buf_free(&b);
	}
	free(copy);
	return 0;
}

#ifndef FUZZ_NO_MAIN
static void vary(uint8_t *p, size_t n)
{
	static const char with[] = "\0\t-lxcd:0 \xff";
	LLVMFuzzerTestOneInput(p, n);
	for (size_t i = 0; i < n && n <= 400; i++) {
		uint8_t was = p[i];
		LLVMFuzzerTestOneInput(p, i);
		for (size_t k = 0; k < sizeof with - 1; k++) {
			p[i] = (uint8_t)with[k];
			LLVMFuzzerTestOneInput(p, n);
		}
		p[i] = was;
	}
}

int main(int argc, char **argv)
{
	struct buf folder = BUF_INIT, file = BUF_INIT, b = BUF_INIT;
	const char *src = getenv("srcdir");
	size_t n = 0;
	if (argc > 1) buf_puts(&folder, argv[1]);
	else buf_printf(&folder, "%s/fuzz/corpus/acl", src ? src : ".");
	DIR *d = opendir(buf_cstr(&folder));
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.') continue;
		buf_reset(&file);
		buf_reset(&b);
		buf_printf(&file, "%s/%s", folder.s, e->d_name);
		if (file_read(buf_cstr(&file), 1 << 20, &b) < 0) continue;
		vary((uint8_t *)b.s, b.len);
		n++;
	}
	if (d) closedir(d);
	printf("%zu inputs replayed\n", n);
	buf_free(&folder);
	buf_free(&file);
	buf_free(&b);
	return n < 6;
}
#endif
