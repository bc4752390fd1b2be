/* metrics.c - what master counts, told twice from one table: master.txt in Prometheus' words (spec/master.md 20.1) and the
 * table of `cyr_info master`. The first seven names and their order are Cyrus's. */
#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double seconds(int64_t ns) { return (double)ns / (double)NSEC_PER_SEC; }

static double ready_workers(const struct master *m, const struct service *s) { return (void)m, service_ready(s); }
static double forks_total(const struct master *m, const struct service *s) { return (void)m, (double)s->nforks; }
static double active_children(const struct master *m, const struct service *s) { return (void)m, service_active(s); }
static double max_children(const struct master *m, const struct service *s)
{
	return (void)m, s->maxchild < 0 ? INT_MAX : s->maxchild;
}
static double forks_per_second(const struct master *m, const struct service *s) { return (void)m, s->forkrate; }
static double max_forks_per_second(const struct master *m, const struct service *s) { return (void)m, s->maxforkrate; }
static double ready_fails(const struct master *m, const struct service *s) { return (void)m, s->nreadyfails; }
static double failures_total(const struct master *m, const struct service *s) { return (void)m, (double)s->nfailures; }
static double connections_total(const struct master *m, const struct service *s) { return (void)m, (double)s->nconnections; }

/* 0: may fork now; infinite: given up until the next reload. */
static double disabled_for(const struct master *m, const struct service *s)
{
	if (s->failed || !s->enabled) return INFINITY;
	return s->not_before > m->now ? seconds(s->not_before - m->now) : 0;
}

static double listen_queue(const struct master *m, const struct service *s)
{
	int n = s->sock >= 0 && !s->dgram ? m->kernel->queue(s->sock) : -1;
	return n < 0 ? NAN : n;
}

static double since_message(const struct master *m, const struct service *s)
{
	return s->last_message ? seconds(m->now - s->last_message) : NAN;
}

static const struct service_metric {
	const char *name, *type, *help;
	const char *column;                /* of the table; NULL: not there */
	double (*value)(const struct master *m, const struct service *s);      /* NAN: nothing to tell */
} service_metrics[] = {
	{ "ready_workers", "gauge", "The number of ready workers", "ready", ready_workers },
	{ "forks_total", "counter", "The number of forks", "forks", forks_total },
	{ "active_children", "gauge", "The number of active children", "active", active_children },
	{ "max_children", "gauge", "The maximum number of children", "max", max_children },
	{ "forks_per_second", "gauge", "The current rate of forks", NULL, forks_per_second },
	{ "max_forks_per_second", "gauge", "The maximum rate of forks", NULL, max_forks_per_second },
	{ "ready_fails_total", "counter", "The number of failures of ready workers", "fails", ready_fails },
	{ "failures_total", "counter", "The number of failures of ready workers since the start, none forgotten", "failures",
		failures_total },
	{ "connections_total", "counter", "The number of clients that workers reported", "clients", connections_total },
	{ "disabled_seconds", "gauge", "For how long no worker will be started; +Inf: until the next reload", "disabled",
		disabled_for },
	{ "listen_queue", "gauge", "The number of clients that wait to be accepted", "queue", listen_queue },
	{ "last_message_seconds", "gauge", "Time since a worker reported anything", "last", since_message },
};
#define SERVICE_METRICS (sizeof service_metrics / sizeof *service_metrics)

static double uptime(const struct master *m) { return seconds(m->now - m->started); }
static double passes(const struct master *m) { return (double)m->passes; }
static double interrupts(const struct master *m) { return (double)m->interrupts; }
static double fallbacks(const struct master *m) { return (double)m->fallbacks_total; }
static double longest_pass(const struct master *m) { return seconds(m->longest_pass); }
static double recent_pass(const struct master *m)
{
	return seconds(m->minute_longest[0] > m->minute_longest[1] ? m->minute_longest[0] : m->minute_longest[1]);
}

static const struct master_metric {
	const char *name, *type, *help, *words;
	double (*value)(const struct master *m);
} master_metrics[] = {
	{ "uptime_seconds", "gauge", "Time since the start", "up for", uptime },
	{ "passes_total", "counter", "Passes of the loop", "passes", passes },
	{ "interrupts_retried_total", "counter", "Waits that a signal interrupted and that were retried at once",
		"interrupts retried", interrupts },
	{ "fallbacks_total", "counter", "Waits that ended with signals blocked, interrupted too often", "with signals blocked",
		fallbacks },
	{ "longest_pass_seconds", "gauge", "The longest time between two waits since the start", "longest pass", longest_pass },
	{ "recent_longest_pass_seconds", "gauge", "The same in the last minute or two", "lately", recent_pass },
};
#define MASTER_METRICS (sizeof master_metrics / sizeof *master_metrics)

static void put_number(struct buf *out, double v)
{
	if (isinf(v)) buf_puts(out, "+Inf");
	else if (v == floor(v) && fabs(v) < 1e15) buf_printf(out, "%.0f", v);
	else buf_printf(out, "%g", v);
}

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP cyrus_master_%s %s\n# TYPE cyrus_master_%s %s\n", name, help, name, type);
}

static void put_service_metric(const struct master *m, const struct service_metric *k, int64_t ms, struct buf *out)
{
	size_t n = m->services.slots.n;
	put_head(out, k->name, k->type, k->help);
	for (size_t i = 0; i < 2 * n; i++) {       /* wait daemons come last */
		const struct service *s = service_at(&m->services, i % n);
		if ((i >= n) != (s->daemon && s->wait)) continue;
		double v = k->value(m, s);
		if (isnan(v)) continue;
		buf_printf(out, "cyrus_master_%s{service=\"%s\",family=\"%s\"} ", k->name, s->name, s->family);
		put_number(out, v);
		buf_printf(out, " %lld\n", (long long)ms);
	}
}

void metrics_print(const struct master *m, int64_t ms, struct buf *out)
{
	for (size_t k = 0; k < SERVICE_METRICS; k++) put_service_metric(m, &service_metrics[k], ms, out);
	for (size_t k = 0; k < MASTER_METRICS; k++) {
		put_head(out, master_metrics[k].name, master_metrics[k].type, master_metrics[k].help);
		buf_printf(out, "cyrus_master_%s ", master_metrics[k].name);
		put_number(out, master_metrics[k].value(m));
		buf_printf(out, " %lld\n", (long long)ms);
	}
}

static void put_cell(struct buf *out, const char *column, double v)
{
	char cell[32];
	if (isnan(v)) strcpy(cell, "-");
	else if (isinf(v)) strcpy(cell, "reload");
	else if (v == floor(v)) snprintf(cell, sizeof cell, "%.0f", v);
	else snprintf(cell, sizeof cell, "%.1fs", v);
	if (!strcmp(column, "max") && v == INT_MAX) strcpy(cell, "-");
	buf_printf(out, " %9s", cell);
}

void metrics_table(const struct master *m, struct buf *out)
{
	buf_printf(out, "master %ld", (long)getpid());
	for (size_t k = 0; k < MASTER_METRICS; k++) {
		double v = master_metrics[k].value(m);
		buf_printf(out, ", %s ", master_metrics[k].words);
		if (strstr(master_metrics[k].name, "_seconds")) buf_printf(out, "%.3gs", v);
		else put_number(out, v);
	}
	buf_printf(out, "%s\n%-24s", m->shutting_down ? ", shutting down" : "", "service");
	for (size_t k = 0; k < SERVICE_METRICS; k++)
		if (service_metrics[k].column) buf_printf(out, " %9s", service_metrics[k].column);
	buf_putc(out, '\n');
	for (size_t i = 0; i < m->services.slots.n; i++) {
		const struct service *s = service_at(&m->services, i);
		char who[64];
		snprintf(who, sizeof who, s->instance ? "%s#%u" : "%s", s->label, s->instance);
		buf_printf(out, "%-24s", who);
		for (size_t k = 0; k < SERVICE_METRICS; k++)
			if (service_metrics[k].column) put_cell(out, service_metrics[k].column, service_metrics[k].value(m, s));
		buf_putc(out, '\n');
	}
}

static char *metrics_path(const struct conf *c)
{
	const char *dir = conf_str(c, OPT_PROMETHEUS_STATS_DIR);
	if (dir && dir[0] == '/' && dir[1]) return mem_printf("%s%smaster.txt", dir, dir[strlen(dir) - 1] == '/' ? "" : "/");
	return mem_printf("%s/stats/master.txt", conf_dir(c));
}

static void rewrite(const char *path, struct buf *text)
{
	int fd = file_create(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd < 0) {
		log_msg(LOG_ERR, "cannot open %s: %s", path, strerror(errno));
		return;
	}
	/* A reader holds the lock: its turn. In place, because readers keep the file open. */
	if (lock_fd(fd, LOCK_EXCLUSIVE, LOCK_NOWAIT, path) == 0
		&& (sys_pwrite_all(fd, text->s, text->len, 0) < 0 || sys_ftruncate(fd, (off_t)text->len) < 0))
		log_msg(LOG_ERR, "cannot write %s: %s", path, strerror(errno));
	sys_close(fd);
}

static int64_t metrics_every(const struct conf *c)
{
	int64_t s = conf_is_set(c, OPT_PROMETHEUS_MASTER_UPDATE_FREQ) ? conf_seconds(c, OPT_PROMETHEUS_MASTER_UPDATE_FREQ)
		: conf_seconds(c, OPT_PROMETHEUS_UPDATE_FREQ);
	return (s > 0 ? s : 10) * NSEC_PER_SEC;
}

void metrics_phase(struct master *m)
{
	if (!m->conf || m->now < m->metrics_due) return;
	m->metrics_due = conf_bool(m->conf, OPT_PROMETHEUS_ENABLED) ? m->now + metrics_every(m->conf) : NEVER;
	if (m->metrics_due == NEVER) return;
	struct buf text = BUF_INIT;
	char *path = metrics_path(m->conf);
	metrics_print(m, clock_real_ns() / 1000000, &text);
	rewrite(path, &text);
	buf_free(&text);
	free(path);
}
