/* check_scenarios.c - replays cunit/master/NAME.scn: text that drives master's loop and says what must be true. One command a
 * line:
 *
 *   conf | reload | file ... end   cyrus.conf up to "end": as at start-up; as after SIGHUP; only written, for `signal HUP`
 *   pass [N]                       N passes
 *   run TIME                       passes until so much time is gone, each as long as master meant to sleep
 *   advance TIME, mono TIME, wall TIME, tz NAME, date YYYY-MM-DDThh:mm:ss
 *   client SERVICE, accept SERVICE a client connects; it leaves the queue
 *   say SERVICE CODE PID [N]       a status message, N times
 *   raw SERVICE HEX                bytes on its status pipe
 *   die PID exit N | signal N      PID is @N, the Nth child ever started, or a number
 *   signal HUP|TERM|INT|QUIT|CHLD, interrupt always|never|N (of every N+1 waits), spawn ERRNO|ok, queue N
 *   lose SERVICE                   its listening socket is closed behind master's back
 *   files N                        so many descriptors are left
 *   expect SERVICE KEY OP VALUE, expect master KEY OP VALUE, expect log|nolog TEXT, expect killed PID SIGNAL,
 *   expect name PID NAME
 */
#include "cunit/master/suites.h"
#include "cunit/master/world.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct script {
	const char *name;
	const char *p;                     /* the rest of the text */
	unsigned line;
	unsigned passes;                   /* of the last `run` */
	int fds[64];
	size_t nfds;
} script;

#define SCENARIOS_LEAST 38

#define MUST(ok, ...) do { if (!(ok)) { char why_[512]; snprintf(why_, sizeof why_, __VA_ARGS__); \
	ck_abort_msg("%s:%u: %s", script.name, script.line, why_); } } while (0)

static bool next_line(char *line, size_t size)
{
	if (!*script.p) return false;
	size_t n = strcspn(script.p, "\n");
	MUST(n < size, "line too long");
	memcpy(line, script.p, n);
	line[n] = '\0';
	script.p += n + (script.p[n] == '\n');
	script.line++;
	return true;
}

/* The lines up to "end", with @dir@ put in. */
static char *block(void)
{
	struct buf b = BUF_INIT;
	char line[1024];
	while (next_line(line, sizeof line) && strcmp(line, "end") != 0) {
		for (char *p = line, *at; ; p = at + 5) {
			at = strstr(p, "@dir@");
			buf_append(&b, p, at ? (size_t)(at - p) : strlen(p));
			if (!at) break;
			buf_puts(&b, w.dir);
		}
		buf_putc(&b, '\n');
	}
	char *text = mem_strdup(buf_cstr(&b));
	buf_free(&b);
	return text;
}

static struct service *service_of(const char *word)
{
	char name[64];
	unsigned instance = 0;
	const char *hash = strchr(word, '#');
	snprintf(name, sizeof name, "%.*s", hash ? (int)(hash - word) : (int)strlen(word), word);
	if (hash) instance = (unsigned)atoi(hash + 1);
	for (struct service *s = services_named(&w.m.services, name); s; s = s->namesake)
		if (s->instance == instance) return s;
	MUST(false, "no service %s", word);
	return NULL;
}

static pid_t pid_of(const char *word)
{
	return *word == '@' ? FIRST_PID + (pid_t)atoi(word + 1) - 1 : (pid_t)atol(word);
}

static int64_t time_of(const char *word)
{
	char *unit;
	double v = strtod(word, &unit);
	static const struct { const char *name; double seconds; } units[] =
		{ { "ms", 0.001 }, { "s", 1 }, { "min", 60 }, { "h", 3600 } };
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(unit, units[i].name)) return (int64_t)(v * units[i].seconds * (double)NSEC_PER_SEC);
	MUST(false, "no time: %s", word);
	return 0;
}

static int signal_of(const char *word)
{
	static const struct { const char *name; int sig; } names[] = { { "HUP", SIGHUP }, { "TERM", SIGTERM }, { "INT", SIGINT },
		{ "QUIT", SIGQUIT }, { "CHLD", SIGCHLD } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(word, names[i].name)) return names[i].sig;
	MUST(false, "no signal: %s", word);
	return 0;
}

/* ---------------------------------------------------------------- commands: words[0] is the name */

static void do_conf(char **words)
{
	char *text = block();
	if (!strcmp(words[0], "file")) {
		if (!w.m.cyrus_path) w.m.cyrus_path = mem_printf("%s/cyrus.conf", w.dir);
		ck_assert_int_eq(newfile_write(w.m.cyrus_path, 0644, text, strlen(text)), 0);
	} else {
		apply_conf(text, !strcmp(words[0], "reload"));
	}
	free(text);
}

static void do_pass(char **words) { passes(words[1] ? (unsigned)atoi(words[1]) : 1); }

static void do_run(char **words)
{
	int64_t end = w.mono + time_of(words[1]);
	script.passes = 0;
	while (w.mono < end && !w.m.done) {
		pass();
		script.passes++;
		MUST(script.passes < 100000, "master spins");
		int64_t step = w.waited > 0 ? w.waited : 1000000;
		w.mono += step;
		w.real += step;
	}
}

static void do_clock(char **words)
{
	int64_t t = time_of(words[1]);
	if (strcmp(words[0], "wall") != 0) w.mono += t;
	if (strcmp(words[0], "mono") != 0) w.real += t;
}

static void do_tz(char **words)
{
	setenv("TZ", words[1], 1);
	tzset();
}

static void do_date(char **words)
{
	struct tm t = { .tm_isdst = -1 };
	MUST(sscanf(words[1], "%d-%d-%dT%d:%d:%d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec) == 6,
		"no date");
	t.tm_year -= 1900;
	t.tm_mon--;
	w.real = (int64_t)mktime(&t) * NSEC_PER_SEC;
}

static void do_client(char **words)
{
	MUST(script.nfds < sizeof script.fds / sizeof *script.fds, "too many clients");
	script.fds[script.nfds++] = client(words[1]);
}

static void do_accept(char **words)
{
	int fd = accept4(service_of(words[1])->sock, NULL, NULL, SOCK_NONBLOCK);
	MUST(fd >= 0, "nobody in the queue");
	close(fd);
}

static void do_say(char **words)
{
	for (int i = words[4] ? atoi(words[4]) : 1; i > 0; i--) say(service_of(words[1]), atoi(words[2]), pid_of(words[3]));
}

static void do_raw(char **words)
{
	unsigned char bytes[256];
	size_t n = 0;
	for (const char *p = words[2]; p[0] && p[1]; p += 2) {
		unsigned v;
		MUST(n < sizeof bytes && sscanf(p, "%2x", &v) == 1, "no hexadecimal digits");
		bytes[n++] = (unsigned char)v;
	}
	ck_assert_int_eq(write(service_of(words[1])->status[1], bytes, n), (ssize_t)n);
}

static void do_die(char **words)
{
	int n = atoi(words[3]);
	die(pid_of(words[1]), !strcmp(words[2], "exit") ? EXITED(n) : n);
}

static void do_signal(char **words)
{
	int sig = signal_of(words[1]);
	if (sig == SIGHUP) signal_flags.hup = sig;
	else if (sig == SIGCHLD) signal_flags.chld = sig;
	else signal_flags.term = sig;
}

static void do_interrupt(char **words)
{
	w.eintr = w.eintr_left = !strcmp(words[1], "always") ? -1 : !strcmp(words[1], "never") ? 0 : atol(words[1]);
	w.calm = 1;
}

static void do_spawn(char **words)
{
	static const struct { const char *name; int value; } names[] = { { "ok", 0 }, { "EAGAIN", EAGAIN }, { "ENOMEM", ENOMEM },
		{ "ENOENT", ENOENT }, { "EACCES", EACCES } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(words[1], names[i].name) != 0) continue;
		w.fork_fails = names[i].value;
		return;
	}
	MUST(false, "no such errno: %s", words[1]);
}

static void do_queue(char **words) { w.queue = atoi(words[1]); }
static void do_lose(char **words) { close(service_of(words[1])->sock); }

static void do_files(char **words)
{
	int fd = 0;
	for (int left = atoi(words[1]); left >= 0; fd++) left -= fcntl(fd, F_GETFD) < 0;
	w.m.files_mine = (rlim_t)(fd - 1 + FILES_KEPT);
}

/* ---------------------------------------------------------------- expectations */

static double service_value(const struct service *s, const char *key)
{
	const struct { const char *name; double value; } values[] = {
		{ "ready", s->count[CHILD_READY] }, { "busy", s->count[CHILD_BUSY] }, { "unknown", s->count[CHILD_UNKNOWN] },
		{ "dead", s->count[CHILD_DEAD] }, { "active", service_active(s) }, { "forks", (double)s->nforks },
		{ "deaths", (double)s->ndeaths }, { "connections", (double)s->nconnections }, { "fails", s->nreadyfails },
		{ "failures", (double)s->nfailures }, { "failed", s->failed }, { "enabled", s->enabled },
		{ "paused", s->not_before > w.m.now }, { "open", s->sock >= 0 }, { "watched", fdset_has(&w.m.services.want, s->sock) },
	};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (!strcmp(key, values[i].name)) return values[i].value;
	MUST(false, "nothing called %s", key);
	return 0;
}

static double master_value(const char *key)
{
	const struct { const char *name; double value; } values[] = {
		{ "forks", w.forks }, { "lines", w.lines }, { "passes", script.passes }, { "waited", (double)w.waited / 1e9 },
		{ "done", w.m.done }, { "shutting", w.m.shutting_down }, { "slots", (double)w.m.services.slots.n },
		{ "events", (double)w.m.events.n }, { "kills", (double)w.nkills }, { "strangers", w.m.children.strangers },
		{ "waits", w.pselects }, { "interrupts", (double)w.m.interrupts }, { "fallbacks", (double)w.m.fallbacks_total },
	};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (!strcmp(key, values[i].name)) return values[i].value;
	MUST(false, "nothing called %s", key);
	return 0;
}

static bool holds(double a, const char *op, double b)
{
	if (!strcmp(op, "=")) return a == b;
	if (!strcmp(op, "<")) return a < b;
	if (!strcmp(op, ">")) return a > b;
	if (!strcmp(op, "<=")) return a <= b;
	if (!strcmp(op, ">=")) return a >= b;
	MUST(false, "no comparison: %s", op);
	return false;
}

static bool was_killed(pid_t pid, int sig)
{
	for (size_t i = 0; i < w.nkills; i++)
		if (w.kills[i].pid == pid && w.kills[i].sig == sig) return true;
	return false;
}

static void do_expect(char **words)
{
	if (!strcmp(words[1], "killed")) {
		MUST(was_killed(pid_of(words[2]), signal_of(words[3])), "%s got no SIG%s", words[2], words[3]);
	} else if (!strcmp(words[1], "name")) {
		const struct child *c = child_find(&w.m.children, pid_of(words[2]));
		MUST(c && !strcmp(c->name, words[3]), "%s is %s", words[2], c ? c->name : "unknown");
	} else {
		double v = !strcmp(words[1], "master") ? master_value(words[2]) : service_value(service_of(words[1]), words[2]);
		MUST(holds(v, words[3], atof(words[4])), "%s %s is %g, not %s %s\n%s", words[1], words[2], v, words[3], words[4],
			buf_cstr(&w.log));
	}
}

static void expect_log(const char *text, bool there)
{
	MUST(logged(text) == there, "the log %s \"%s\":\n%s", there ? "lacks" : "has", text, buf_cstr(&w.log));
}

static const struct command {
	const char *name;
	int least, most;                   /* words behind the name */
	void (*fn)(char **words);
} commands[] = {
	{ "conf", 0, 0, do_conf }, { "reload", 0, 0, do_conf }, { "file", 0, 0, do_conf },
	{ "pass", 0, 1, do_pass }, { "run", 1, 1, do_run },
	{ "advance", 1, 1, do_clock }, { "mono", 1, 1, do_clock }, { "wall", 1, 1, do_clock }, { "tz", 1, 1, do_tz },
	{ "date", 1, 1, do_date },
	{ "client", 1, 1, do_client }, { "accept", 1, 1, do_accept }, { "say", 3, 4, do_say }, { "raw", 2, 2, do_raw },
	{ "die", 3, 3, do_die }, { "signal", 1, 1, do_signal }, { "interrupt", 1, 1, do_interrupt }, { "spawn", 1, 1, do_spawn },
	{ "queue", 1, 1, do_queue }, { "lose", 1, 1, do_lose }, { "files", 1, 1, do_files }, { "expect", 3, 4, do_expect },
};

static void run_line(char *line)
{
	char *words[8] = { NULL };
	int n = 0;
	if (!strncmp(line, "expect log ", 11)) {
		expect_log(line + 11, true);
		return;
	}
	if (!strncmp(line, "expect nolog ", 13)) {
		expect_log(line + 13, false);
		return;
	}
	for (char *save, *p = strtok_r(line, " \t", &save); p && n < 7; p = strtok_r(NULL, " \t", &save)) words[n++] = p;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(words[0], commands[i].name) != 0) continue;
		MUST(n > commands[i].least && n <= commands[i].most + 1, "%s: %d words", words[0], n - 1);
		commands[i].fn(words);
		return;
	}
	MUST(false, "unknown command %s", words[0]);
}

static void replay(const char *path)
{
	struct buf text = BUF_INIT;
	char line[1024];
	ck_assert_int_eq(file_read(path, 1 << 20, &text), 0);
	script = (struct script){ .name = strrchr(path, '/') + 1, .p = buf_cstr(&text) };
	do_tz((char *[]){ (char *)"tz", (char *)"UTC0", NULL });
	w.queue = -1;
	while (next_line(line, sizeof line)) {
		char *p = line + strspn(line, " \t");
		if (*p && *p != '#') run_line(p);
	}
	while (script.nfds) close(script.fds[--script.nfds]);
	buf_free(&text);
}

/* ---------------------------------------------------------------- one test for each file */

static char **files;
static int nfiles;

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void find_files(void)
{
	const char *src = getenv("srcdir");
	char *dir = mem_printf("%s/cunit/master", src ? src : ".");
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		size_t n = strlen(e->d_name);
		if (n < 5 || strcmp(e->d_name + n - 4, ".scn") != 0) continue;
		files = mem_array(files, (size_t)nfiles + 1, sizeof *files);
		files[nfiles++] = mem_printf("%s/%s", dir, e->d_name);
	}
	if (d) closedir(d);
	if (nfiles) qsort(files, (size_t)nfiles, sizeof *files, by_name);
	free(dir);
}

START_TEST(test_scenario) { replay(files[_i]); }
END_TEST

START_TEST(test_the_scenarios_are_there) { ck_assert_int_ge(nfiles, SCENARIOS_LEAST); }
END_TEST

TCase *case_scenarios(void)
{
	TCase *c = tcase_create("scenarios");
	find_files();
	tcase_add_checked_fixture(c, world_setup, world_teardown);
	tcase_set_timeout(c, 120);
	tcase_add_test(c, test_the_scenarios_are_there);
	tcase_add_loop_test(c, test_scenario, 0, nfiles);
	return c;
}
