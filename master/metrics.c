/* metrics.c - master.txt, the counters in Prometheus' words (spec/master.md 20.1). */
#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static double ready_workers(const struct service *s) { return service_ready(s); }
static double forks_total(const struct service *s) { return (double)s->nforks; }
static double active_children(const struct service *s) { return service_active(s); }
static double max_children(const struct service *s) { return s->maxchild < 0 ? INT_MAX : s->maxchild; }
static double forks_per_second(const struct service *s) { return s->forkrate; }
static double max_forks_per_second(const struct service *s) { return s->maxforkrate; }
static double ready_fails(const struct service *s) { return s->nreadyfails; }

static const struct {
	const char *name, *type, *help, *fmt;
	double (*value)(const struct service *s);
} metrics[] = {
	{ "cyrus_master_ready_workers", "gauge", "The number of ready workers", "%.0f", ready_workers },
	{ "cyrus_master_forks_total", "counter", "The number of forks", "%.0f", forks_total },
	{ "cyrus_master_active_children", "gauge", "The number of active children", "%.0f", active_children },
	{ "cyrus_master_max_children", "gauge", "The maximum number of children", "%.0f", max_children },
	{ "cyrus_master_forks_per_second", "gauge", "The current rate of forks", "%g", forks_per_second },
	{ "cyrus_master_max_forks_per_second", "gauge", "The maximum rate of forks", "%.0f", max_forks_per_second },
	{ "cyrus_master_ready_fails_total", "counter", "The number of failures of ready workers", "%.0f", ready_fails },
};

static void print_value(struct buf *out, const char *fmt, double v)
{
	if (fmt[1] == 'g') buf_printf(out, "%g", v);
	else buf_printf(out, "%.0f", v);
}

void metrics_print(const struct master *m, int64_t ms, struct buf *out)
{
	for (size_t k = 0; k < sizeof metrics / sizeof *metrics; k++) {
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[k].name, metrics[k].help, metrics[k].name, metrics[k].type);
		for (size_t i = 0; i < 2 * m->services.slots.n; i++) {       /* wait daemons come last */
			const struct service *s = service_at(&m->services, i % m->services.slots.n);
			if ((i >= m->services.slots.n) != (s->daemon && s->wait)) continue;
			buf_printf(out, "%s{service=\"%s\",family=\"%s\"} ", metrics[k].name, s->name, s->family);
			print_value(out, metrics[k].fmt, metrics[k].value(s));
			buf_printf(out, " %lld\n", (long long)ms);
		}
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
