/* check_conf.c - imapd.conf: the table, the grammar, the fatal texts, levels, the lint and the man page. */
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf/conf_priv.h"
#include "conf/lint.h"
#include "conf/man.h"
#include "cunit/scratch.h"
#include "cunit/suite.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct conf_error err;

static void setup(void)
{
	scratch_setup();
	unsetenv("CYRUS_PREFIX");
}

static struct conf *load(const char *text, const char *ident) { return scratch_conf(ident, false, "%s", text); }

/* ---- bad input first: the text after "fatal error: " */

static const struct {
	const char *text, *error;
	bool need_data;
} bad[] = {
	{ "", "configdirectory option not specified in configuration file", false },
	{ "# configdirectory: /x\n", "configdirectory option not specified in configuration file", false },
	{ "configdirectory: /x\\\n", "configdirectory option not specified in configuration file", false },
	{ "configdirectory /x\n", "invalid option name on line 1 of configuration file %s", false },
	{ "configdirectory : /x\n", "invalid option name on line 1 of configuration file %s", false },
	{ "\n\na.b: c\n", "invalid option name on line 3 of configuration file %s", false },
	{ ": x\n", "invalid option name on line 1 of configuration file %s", false },
	{ "nocolon", "invalid option name on line 1 of configuration file %s", false },
	{ "servername:   \n", "empty option value on line 1 of configuration file", false },
	{ "servername:", "empty option value on line 1 of configuration file", false },
	{ "@exclude: x\n", "invalid directive on line 1 of configuration file %s", false },
	{ "@: x\n", "invalid directive on line 1 of configuration file %s", false },
	{ "@include /x\n", "invalid directive on line 1 of configuration file %s", false },
	{ "@include: /nonexistent/x\n", "can't open configuration file /nonexistent/x: No such file or directory", false },
	{ "@include: %s\n", "configuration file %s included twice", false },
	{ "umask: 022\numask: 022\n", "option 'umask' was specified twice in config file (second occurrence on line 2)", false },
	{ "foo: 1\nbar: 1\nFOO: 2\n", "option 'foo' was specified twice in config file (second occurrence on line 3)", false },
	{ "imap_umask: 1\nimap_umask: 2\n", "option 'imap_umask' was specified twice in config file (second occurrence on line 2)",
		false },
	{ "maxword: 12x\n", "non-integer value for maxword in line 1", false },
	{ "maxword: x\n", "non-integer value for maxword in line 1", false },
	{ "maxword: 99999999999999999999\n", "non-integer value for maxword in line 1", false },
	{ "imap_maxword: x\n", "non-integer value for maxword in line 1", false },
	{ "fulldirhash: maybe\n", "non-switch value for fulldirhash in line 1", false },
	{ "fulldirhash: Yes\n", "non-switch value for fulldirhash in line 1", false },
	{ "fulldirhash: o\n", "non-switch value for fulldirhash in line 1", false },
	{ "virtdomains: maybe\n", "invalid value 'maybe' for virtdomains in line 1", false },
	{ "virtdomains: ON\n", "invalid value 'ON' for virtdomains in line 1", false },
	{ "expunge_mode: late\n", "invalid value 'late' for expunge_mode in line 1", false },
	{ "mboxlist_db: oracle\n", "invalid value 'oracle' for mboxlist_db in line 1", false },
	{ "mboxlist_db: quotalegacy\n", "invalid value 'quotalegacy' for mboxlist_db in line 1", false },
	{ "event_groups: message,quota\n", "invalid value 'message,quota' for event_groups in line 1", false },
	{ "httpmodules: caldav imap\n", "invalid value 'imap' for httpmodules in line 1", false },
	{ "timeout: soon\n", "unparsable duration 'soon' for timeout in line 1", false },
	{ "timeout: 1y\n", "unparsable duration '1y' for timeout in line 1", false },
	{ "timeout: 1h30\n", "unparsable duration '1h30' for timeout in line 1", false },
	{ "timeout: --1\n", "unparsable duration '--1' for timeout in line 1", false },
	{ "timeout: 999999999999999999999d\n", "unparsable duration '999999999999999999999d' for timeout in line 1", false },
	{ "maxliteral: 1X\n", "unparsable byte size '1X' for maxliteral in line 1", false },
	{ "maxliteral: -1\n", "unparsable byte size '-1' for maxliteral in line 1", false },
	{ "maxliteral: 9999999999G\n", "unparsable byte size '9999999999G' for maxliteral in line 1", false },
	{ "compatibility_level: 2.4\n", "invalid value '2.4' for compatibility_level in line 1", false },
	{ "configdirectory: /x\ndefaultpartition: a-b\n", "defaultpartition option contains non-alnum character", false },
	{ "configdirectory: /x\ndefaultpartition: A\npartition-b: /p\n", "partition-a option not specified in configuration file",
		true },
	{ "configdirectory: /x\nimap_partition-b: /p\nmupdate_server: h\nproxyservers: p\n", NULL, true },
	{ "configdirectory: /x\n", "partition-<name> option not specified in configuration file", true },
	{ "configdirectory: /x\nmupdate_server: h\nmupdate_config: unified\n",
		"partition-<name> option not specified in configuration file",
		true },
	{ "configdirectory: /x\nmupdate_server: h\n", NULL, true },
	{ "configdirectory: /x\npartition-name: /p\n", NULL, true },
};

START_TEST(bad_input)
{
	char *path = mem_strdup(scratch_put("imapd.conf", ""));
	char *text = mem_printf("%s", bad[_i].text), *at = strstr(text, "%s");
	if (at) {
		free(text);
		text = mem_printf("%.*s%s\n", (int)(strstr(bad[_i].text, "%s") - bad[_i].text), bad[_i].text, path);
	}
	scratch_put("imapd.conf", text);
	struct conf *c = NULL;
	int rc = conf_load(&c, path, "imap", bad[_i].need_data, &err);
	if (!bad[_i].error) {
		ck_assert_msg(!rc, "%s", err.text);
		conf_free(c);
	} else {
		const char *hole = strstr(bad[_i].error, "%s");
		char *want = hole ? mem_printf("%.*s%s%s", (int)(hole - bad[_i].error), bad[_i].error, path,
			hole + 2) : mem_strdup(bad[_i].error);
		ck_assert_int_eq(rc, ERR_CONFIG);
		ck_assert_ptr_null(c);
		ck_assert_str_eq(err.text, want);
		free(want);
	}
	free(text);
	free(path);
}
END_TEST

/* ---- checking: every problem, in the order of the file, and what is left */

static struct buf told;

static void tell(void *arg, enum conf_problem how, const char *file, unsigned line, const char *text)
{
	const char *base = strrchr(file, '/');
	(void)arg;
	buf_printf(&told, "%s:%u: %c %s\n", base ? base + 1 : file, line, how == CONF_ERROR ? 'E' : 'W', text);
}

static const struct {
	const char *text, *want;
	bool need_data;
} checks[] = {
	{ "configdirectory: /x\n", "", false },
	{ "", "imapd.conf:0: E configdirectory option not specified in configuration file\n", false },
	{ "", "imapd.conf:0: E configdirectory option not specified in configuration file\n"
		"imapd.conf:0: E partition-<name> option not specified in configuration file\n", true },
	{ "a b\nmaxword: x\nfulldirhash: perhaps\nadmins:\n@foo: x\nconfigdirectory: /x\n.\n",
		"imapd.conf:1: E invalid option name on line 1 of configuration file @\n"
		"imapd.conf:2: E non-integer value for maxword in line 2\n"
		"imapd.conf:3: E non-switch value for fulldirhash in line 3\n"
		"imapd.conf:4: E empty option value on line 4 of configuration file\n"
		"imapd.conf:5: E invalid directive on line 5 of configuration file @\n"
		"imapd.conf:7: E invalid option name on line 7 of configuration file @\n", false },
	{ "configdirectory: /x\n@include: /nonexistent/a\n@include: @\ntimeout: never\nmaxliteral: -1\nvirtdomains: both\n",
		"imapd.conf:2: E can't open configuration file /nonexistent/a: No such file or directory\n"
		"imapd.conf:3: E configuration file @ included twice\n"
		"imapd.conf:4: E unparsable duration 'never' for timeout in line 4\n"
		"imapd.conf:5: E unparsable byte size '-1' for maxliteral in line 5\n"
		"imapd.conf:6: E invalid value 'both' for virtdomains in line 6\n", false },
	{ "configdirectory: /x\numask: 1\numask: 2\nfoo: 1\nfoo: 2\numask: 3\n",
		"imapd.conf:3: E option 'umask' was specified twice in config file (second occurrence on line 3)\n"
		"imapd.conf:5: E option 'foo' was specified twice in config file (second occurrence on line 5)\n"
		"imapd.conf:6: E option 'umask' was specified twice in config file (second occurrence on line 6)\n", false },
	{ "configdirectory: /x\ntls_cert_file: /c\nflushseenstate: 1\nadmins: a\\\n b\\\n",
		"imapd.conf:5: W the file ends inside a continued line, which is lost\n"
		"imapd.conf:2: W Option 'tls_cert_file' is deprecated in favor of 'tls_server_cert' since version 2.5.0.\n"
		"imapd.conf:3: W Option 'flushseenstate' is deprecated since version 2.5.0.\n", false },
	{ "defaultpartition: a-b\nconfigdirectory: /x\n",
		"imapd.conf:1: E defaultpartition option contains non-alnum character\n", true },
	{ "configdirectory: /x\ndefaultpartition: A\npartition-b: /p\n",
		"imapd.conf:2: E partition-a option not specified in configuration file\n", true },
};

/* With every @ of text replaced by path, but for "@include". */
static char *fill_in(const char *text, const char *path)
{
	struct buf b = BUF_INIT;
	for (; *text; text++)
		if (*text == '@' && text[1] != 'i' && text[1] != 'f') buf_puts(&b, path);
		else buf_putc(&b, *text);
	return buf_take(&b);
}

START_TEST(check_tells_everything)
{
	char *path = mem_strdup(scratch_put("imapd.conf", "")), *text = fill_in(checks[_i].text, path),
		*want = fill_in(checks[_i].want, path);
	scratch_put("imapd.conf", text);
	struct conf *c = NULL;
	unsigned errors = 0;
	for (const char *p = want; (p = strstr(p, ": E ")); p++) errors++;
	ck_assert_uint_eq(conf_check(&c, path, "imap", checks[_i].need_data, tell, NULL), errors);
	ck_assert_str_eq(buf_cstr(&told), want);
	ck_assert_ptr_nonnull(c);
	conf_free(c);
	/* What it finds first is what loading stops at, unless it is only a warning. */
	int rc = conf_load(&c, path, "imap", checks[_i].need_data, &err);
	ck_assert_int_eq(rc, errors ? ERR_CONFIG : 0);
	const char *first = strstr(want, ": E ");
	if (first) ck_assert_msg(!strncmp(first + 4, err.text, strlen(err.text)), "%s", err.text);
	conf_free(c);
	buf_free(&told);
	free(want);
	free(text);
	free(path);
}
END_TEST

START_TEST(check_keeps_what_is_good)
{
	struct conf *c = NULL;
	const char *file;
	unsigned line;
	char *inc = mem_strdup(scratch_put("more.conf", "\nImap_Umask: 7\nextra: 1\n"));
	char *text = mem_printf("configdirectory: /x\nmaxword: x\nadmins: \\\n b\nbad\n@include: %s\nown: 1\nidlesocket: /s\n", inc);
	char *path = mem_strdup(scratch_put("imapd.conf", text));
	ck_assert_uint_eq(conf_check(&c, path, "imap", false, tell, NULL), 2);
	ck_assert_int_eq(conf_int(c, OPT_MAXWORD), 131072);
	ck_assert(conf_where(c, OPT_ADMINS, &file, &line) && line == 4 && !strcmp(file, path));
	ck_assert(conf_where(c, OPT_UMASK, &file, &line) && line == 2 && !strcmp(file, inc));
	ck_assert(conf_where_overflow(c, "extra", &file, &line) && line == 3 && !strcmp(file, inc));
	ck_assert(conf_where_overflow(c, "own", &file, &line) && line == 7 && !strcmp(file, path));
	ck_assert(conf_where(c, OPT_IDLESOCKET, &file, &line) && line == 8);
	ck_assert(!conf_where(c, OPT_MAXWORD, &file, &line) && !conf_where_overflow(c, "none", &file, &line));
	conf_free(c);
	buf_reset(&told);
	ck_assert_uint_eq(conf_check(&c, "/nonexistent/imapd.conf", "imap", true, tell, NULL), 1);
	ck_assert_str_eq(buf_cstr(&told),
		"imapd.conf:0: E can't open configuration file /nonexistent/imapd.conf: No such file or directory\n");
	ck_assert_ptr_null(conf_dir(c));
	conf_free(c);
	buf_free(&told);
	free(path);
	free(text);
	free(inc);
}
END_TEST

START_TEST(missing_file)
{
	struct conf *c;
	ck_assert_int_eq(conf_load(&c, "/nonexistent/imapd.conf", "imap", false, &err), ERR_CONFIG);
	ck_assert_str_eq(err.text, "can't open configuration file /nonexistent/imapd.conf: No such file or directory");
}
END_TEST

START_TEST(grammar)
{
	struct conf *c = load("\t ConfigDirectory:/x \r\n  # a comment \\\nservername: lost\n"
		"admins: a\\\n b # no comment\nservername: last line", "imap");
	ck_assert_str_eq(conf_dir(c), "/x");
	ck_assert_str_eq(conf_str(c, OPT_ADMINS), "a b # no comment");
	ck_assert_str_eq(conf_servername(c), "last line");
	ck_assert_str_eq(conf_str(c, OPT_IDLESOCKET), "/x/socket/idle");
	conf_free(c);
	c = load("configdirectory: /x\nnotifysocket: {ConfigDirectory}/n\nsendmail: /{configdirectory}\n", "imap");
	ck_assert_str_eq(conf_str(c, OPT_NOTIFYSOCKET), "/x/n");
	ck_assert_str_eq(conf_str(c, OPT_SENDMAIL), "/{configdirectory}");
	conf_free(c);
}
END_TEST

START_TEST(long_line)
{
	struct buf b = BUF_INIT;
	buf_puts(&b, "configdirectory: /x\nadmins: ");
	for (int i = 0; i < 100000; i++) buf_puts(&b, "user ");
	struct conf *c = load(buf_cstr(&b), "imap");
	ck_assert_uint_eq(strlen(conf_str(c, OPT_ADMINS)), 499999);
	conf_free(c);
	buf_free(&b);
}
END_TEST

START_TEST(include_and_prefix)
{
	char *inc = mem_strdup(scratch_put("more.conf", "servername: inc\n"));
	char *text = mem_printf("configdirectory: /x\n@Include:   %s  \nadmins: after\n", inc);
	struct conf *c = load(text, "imap");
	ck_assert_str_eq(conf_servername(c), "inc");
	ck_assert_str_eq(conf_str(c, OPT_ADMINS), "after");
	conf_free(c);
	free(text);

	scratch_put("pre-more.conf", "configdirectory: /y\n");
	char *prefix = mem_printf("%s/pre-", scratch_dir);
	setenv("CYRUS_PREFIX", prefix, 1);
	ck_assert_int_eq(conf_load(&c, "more.conf", "imap", false, &err), 0);
	ck_assert_str_eq(conf_dir(c), "/y");
	conf_free(c);
	ck_assert_int_eq(conf_load(&c, scratch_put("imapd.conf", "configdirectory: /plain\n"), "imap", false, &err), 0);
	ck_assert_str_eq(conf_dir(c), "/plain");
	conf_free(c);
	unsetenv("CYRUS_PREFIX");
	free(prefix);
	free(inc);
}
END_TEST

START_TEST(specificity)
{
	static const char text[] =
		"configdirectory: /x\nimap_admins: a\nadmins: b\nIMAP_partition-p: /s\npartition-p: /g\nlmtp_admins: c\n"
		"sasl_mech_list: PLAIN\n";
	struct conf *c = load(text, "imap");
	ck_assert_str_eq(conf_str(c, OPT_ADMINS), "a");
	ck_assert_str_eq(conf_partition(c, "partition-", "p"), "/s");
	ck_assert_str_eq(conf_partition(c, "partition-", "P"), "/s");
	ck_assert_ptr_null(conf_partition(c, "metapartition-", "p"));
	ck_assert_str_eq(conf_overflow(c, "lmtp_admins"), "c");
	conf_free(c);
	c = load(text, "ctl_mboxlist");
	ck_assert_str_eq(conf_str(c, OPT_ADMINS), "b");
	ck_assert_str_eq(conf_partition(c, "partition-", "p"), "/g");
	ck_assert_str_eq(conf_overflow(c, "sasl_mech_list"), "PLAIN");
	conf_free(c);
}
END_TEST

START_TEST(types)
{
	struct conf *c =
		load("configdirectory: /x\nmaxword: 0x10\nmaxquoted: 010\nfulldirhash: t\nhashimapspool: off\nvirtdomains: yes\n"
		"serverinfo: 0\nevent_groups: quota message\ntimeout: 45\npoptimeout: 1h30m\npopexpiretime: -1\nmaxliteral: 2 KiB\n"
		"quotawarnsize: 3\nautocreate_quota: -1\nmboxlist_db: berkeley-nosync\nhttpmodules: timezone caldav\n", "imap");
	ck_assert_int_eq(conf_int(c, OPT_MAXWORD), 16);
	ck_assert_int_eq(conf_int(c, OPT_MAXQUOTED), 8);
	ck_assert(conf_bool(c, OPT_FULLDIRHASH));
	ck_assert(!conf_bool(c, OPT_HASHIMAPSPOOL));
	ck_assert_str_eq(conf_word(c, OPT_VIRTDOMAINS), "on");
	ck_assert_int_eq(conf_enum(c, OPT_VIRTDOMAINS), 2);
	ck_assert_str_eq(conf_word(c, OPT_SERVERINFO), "off");
	ck_assert_uint_eq(conf_bits(c, OPT_EVENT_GROUPS), 3);
	ck_assert_int_eq(conf_seconds(c, OPT_TIMEOUT), 45 * 60);
	ck_assert_int_eq(conf_seconds(c, OPT_POPTIMEOUT), 90 * 60);
	ck_assert_int_eq(conf_seconds(c, OPT_POPEXPIRETIME), -86400);
	ck_assert_int_eq(conf_bytes(c, OPT_MAXLITERAL), 2048);
	ck_assert_int_eq(conf_bytes(c, OPT_QUOTAWARNSIZE), 3072);
	ck_assert_int_eq(conf_int(c, OPT_AUTOCREATE_QUOTA), -1);
	ck_assert_str_eq(conf_word(c, OPT_MBOXLIST_DB), "berkeley-nosync");
	ck_assert_uint_eq(conf_bits(c, OPT_HTTPMODULES), 1u << 1 | 1u << 11);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&scratch_log),
		"Value 'timezone' for option 'httpmodules' is deprecated in favor of value 'tzdist'"));
	conf_free(c);
}
END_TEST

static const struct { const char *value, *word; } modes[] = {
	{ "default", "semidelayed" }, { "semidelayed", "semidelayed" }, { "immediate", "immediate" }, { "delayed", "delayed" },
};

START_TEST(expunge_modes)
{
	char *text = mem_printf("configdirectory: /x\nexpunge_mode: %s\n", modes[_i].value);
	struct conf *c = load(text, "imap");
	ck_assert_str_eq(conf_word(c, OPT_EXPUNGE_MODE), modes[_i].word);
	conf_free(c);
	free(text);
}
END_TEST

START_TEST(deprecated_names)
{
	struct conf *c =
		load("configdirectory: /x\ntls_cert_file: old\ntls_server_cert: new\ntlscache_db: skiplist\nflushseenstate: no\n"
		"archive_days: 3\nimap_tls_key_file: k\n", "imap");
	ck_assert_str_eq(conf_str(c, OPT_TLS_SERVER_CERT), "new");
	conf_set_level(c, LEVEL_25);
	ck_assert_str_eq(conf_str(c, OPT_TLS_SERVER_CERT), "old");
	ck_assert_str_eq(conf_str(c, OPT_TLS_SERVER_KEY), "k");
	ck_assert_str_eq(conf_word(c, OPT_TLS_SESSIONS_DB), "skiplist");
	ck_assert_int_eq(conf_seconds(c, OPT_ARCHIVE_AFTER), 3 * 86400);
	ck_assert(conf_is_set(c, OPT_TLS_SESSIONS_DB));
	ck_assert(!conf_is_set(c, OPT_TLS_CIPHERS));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&scratch_log),
		"Option 'tls_cert_file' is deprecated in favor of 'tls_server_cert' since version 2.5.0.\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&scratch_log), "Option 'flushseenstate' is deprecated"));
	conf_free(c);
}
END_TEST

START_TEST(levels)
{
	struct conf *c = load("configdirectory: /x\n", "imap");
	ck_assert_int_eq(conf_level_wanted(c), LEVEL_AUTO);
	ck_assert_int_eq(conf_level(c), LEVEL_36);
	ck_assert(conf_bool(c, OPT_ALTNAMESPACE));
	ck_assert_int_eq(conf_seconds(c, OPT_TIMEOUT), 32 * 60);
	ck_assert_str_eq(conf_str(c, OPT_DEFAULTDOMAIN), "internal");
	conf_set_level(c, LEVEL_25);
	ck_assert(!conf_bool(c, OPT_ALTNAMESPACE));
	ck_assert_int_eq(conf_seconds(c, OPT_TIMEOUT), 30 * 60);
	ck_assert_ptr_null(conf_str(c, OPT_DEFAULTDOMAIN));
	ck_assert_int_eq(conf_seconds(c, OPT_SIEVE_VACATION_MAX_RESPONSE), 7776000);
	conf_free(c);
	c = load("configdirectory: /x\ncompatibility_level: 2.5\n", "imap");
	ck_assert_int_eq(conf_level(c), LEVEL_25);
	ck_assert_int_eq(conf_level_wanted(c), LEVEL_25);
	conf_free(c);
	c = load("configdirectory: /x\ncompatibility_level: 3.6\n", "imap");
	ck_assert_int_eq(conf_level_wanted(c), LEVEL_36);
	conf_free(c);
}
END_TEST

/* ---- the whole table */

START_TEST(table_is_sound)
{
	struct conf *c = load("configdirectory: /x\n", "imap");
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct conf_row *r = conf_row((enum conf_opt)i);
		const char *defs[] = { r->def25, r->def36 };
		bool words = r->type == CONF_ENUM || r->type == CONF_LIST || r->type == CONF_BITS;
		ck_assert_msg(words == (r->values != NULL), "%s", r->name);
		ck_assert_msg((r->unit != 0) == (r->type == CONF_DUR || r->type == CONF_BYTES), "%s", r->name);
		ck_assert_msg(r->meaning && *r->meaning && r->versions && *r->versions, "%s", r->name);
		ck_assert_msg(r->type == CONF_KEY || conf_find(r->name) == i, "%s is there twice", r->name);
		ck_assert_msg(!r->dep_now || conf_find(r->dep_now) >= 0, "%s", r->name);
		for (const char *p = r->name; *p; p++) ck_assert_msg(!(*p >= 'A' && *p <= 'Z'), "%s", r->name);
		for (int l = 0; l < 2; l++) {
			int64_t num;
			bool placeholder = r->dep_since && defs[l] && !strcmp(defs[l], "DEFAULT");
			if (defs[l] && !placeholder) ck_assert_msg(conf_type_parse(r, defs[l], &num, NULL) == CONF_GOOD, "%s", r->name);
		}
		for (int l = LEVEL_25; l <= LEVEL_36; l++) {
			enum conf_opt o = (enum conf_opt)i;
			conf_set_level(c, (enum conf_level)l);
			char *shown = conf_show(c, o);
			ck_assert_int_eq(conf_is_set(c, o), o == OPT_CONFIGDIRECTORY);
			ck_assert(o == OPT_CONFIGDIRECTORY || conf_is_default(c, o));
			if (r->type == CONF_BOOL && defs[l - 1]) ck_assert_str_eq(shown, conf_bool(c, o) ? "yes" : "no");
			if (r->type == CONF_INT && defs[l - 1]) ck_assert_int_eq(conf_int(c, o), atol(defs[l - 1]));
			if ((r->type == CONF_ENUM || r->type == CONF_LIST) && shown && strcmp(shown, "DEFAULT")) {
				int64_t num;
				ck_assert_int_eq(conf_type_parse(r, shown, &num, NULL), CONF_GOOD);
				ck_assert_int_eq(num, conf_enum(c, o));
				ck_assert_ptr_nonnull(conf_word(c, o));
			}
			free(shown);
		}
	}
	conf_free(c);
}
END_TEST

static char *golden(const char *name)
{
	const char *src = getenv("srcdir");
	return mem_printf("%s/cunit/golden/conf/%s", src ? src : ".", name);
}

static const struct { const char *file, *all; enum conf_level level; } instances[] = {
	{ "imapd-2.5.7.conf.in", "conf-all-2.5.7", LEVEL_25 }, { "imapd-2.5.7-alt.conf.in", NULL, LEVEL_25 },
	{ "imapd-3.6.1.conf.in", "conf-all-3.6.1", LEVEL_36 }, { "imapd-3.6.1-alt.conf.in", NULL, LEVEL_36 },
};

/* The recorded "cyr_info conf-all" of the originals: every line of theirs is what we answer. */
static void compare_all(const struct conf *c, const char *file)
{
	struct buf text = BUF_INIT;
	char *path = golden(file);
	ck_assert_int_eq(file_read(path, 1 << 20, &text), 0);
	free(path);
	struct strarray lines = STRARRAY_INIT;
	strarray_split(&lines, buf_cstr(&text), "\n");
	ck_assert_uint_gt(lines.n, 300);
	for (size_t i = 0; i < lines.n; i++) {
		char *colon = strchr(lines.v[i], ':');
		*colon = 0;
		int o = conf_find(lines.v[i]);
		ck_assert_msg(o >= 0, "%s", lines.v[i]);
		char *have = conf_show(c, (enum conf_opt)o);
		const char *want = colon[1] ? colon + 2 : "";
		if (!strcmp(want, "(null)")) want = "";        /* an unset duration, in 3.6.1 */
		ck_assert_msg(!strcmp(have ? have : "", want), "%s: have '%s', want '%s'", lines.v[i], have, want);
		free(have);
	}
	strarray_free(&lines);
	buf_free(&text);
}

START_TEST(golden_files)
{
	struct conf *c;
	char *path = golden(instances[_i].file);
	ck_assert_msg(!conf_load(&c, path, "imap", true, &err), "%s", err.text);
	conf_set_level(c, instances[_i].level);
	ck_assert_str_eq(conf_str(c, OPT_DEFAULTPARTITION), "default");
	ck_assert_str_eq(conf_partition(c, "metapartition-", "third"), "@ROOT@/meta-third");
	ck_assert_uint_eq(conf_bits(c, OPT_METAPARTITION_FILES), 1 | 2 | 4 | 32);
	ck_assert_str_eq(conf_overflow(c, "sasl_sasldb_path"), "@ROOT@/conf/sasldb2");
	ck_assert(conf_bool(c, OPT_FULLDIRHASH) == (strstr(path, "alt") != NULL));
	ck_assert_str_eq(buf_cstr(&scratch_log), "");
	if (instances[_i].all) compare_all(c, instances[_i].all);
	conf_free(c);
	free(path);
}
END_TEST

static void collect(void *arg, const char *key, const char *value)
{
	(void)value;
	strarray_append(arg, key);
}

START_TEST(lint_finds_unknown_keys)
{
	struct strarray services = STRARRAY_INIT, found = STRARRAY_INIT;
	strarray_append(&services, "lmtpunix");
	struct conf *c =
		load("configdirectory: /x\npartition-a: /a\nsasl_mech_list: PLAIN\nlmtpunix_admins: a\nlmtpunix_partition-b: /b\n"
		"be1_password: p\nxlist-junk: Spam\nautocreate_acl: x\nt1searchpartition-a: /s\nch_sync_host: h\nadmin: typo\n"
		"nosuch_admins: a\npartition-: x\nsearchpartition-a: x\n", "cyr_info");
	lint_conf(c, &services, collect, &found);
	char *all = strarray_join(&found, " ");
	ck_assert_str_eq(all, "admin nosuch_admins partition- searchpartition-a");
	free(all);
	strarray_free(&services);
	strarray_free(&found);
	conf_free(c);
}
END_TEST

START_TEST(man_page_equals_the_table)
{
	const char *src = getenv("srcdir");
	char *path = mem_printf("%s/doc/man/imapd.conf.5", src ? src : ".");
	struct buf have = BUF_INIT, want = BUF_INIT;
	ck_assert_int_eq(file_read(path, 1 << 20, &have), 0);
	conf_man(&want);
	ck_assert_msg(!buf_cmp(&have, &want), "run ./conf_man >%s", path);
	buf_free(&have);
	buf_free(&want);
	free(path);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("conf");
	tcase_add_checked_fixture(t, setup, scratch_teardown);
	tcase_add_loop_test(t, bad_input, 0, COUNT(bad));
	tcase_add_loop_test(t, check_tells_everything, 0, COUNT(checks));
	tcase_add_test(t, check_keeps_what_is_good);
	tcase_add_test(t, missing_file);
	tcase_add_test(t, grammar);
	tcase_add_test(t, long_line);
	tcase_add_test(t, include_and_prefix);
	tcase_add_test(t, specificity);
	tcase_add_test(t, types);
	tcase_add_loop_test(t, expunge_modes, 0, COUNT(modes));
	tcase_add_test(t, deprecated_names);
	tcase_add_test(t, levels);
	tcase_add_test(t, table_is_sound);
	tcase_add_loop_test(t, golden_files, 0, COUNT(instances));
	tcase_add_test(t, lint_finds_unknown_keys);
	tcase_add_test(t, man_page_equals_the_table);
	return suite_run("conf", (TCase *[]){ t, NULL });
}
