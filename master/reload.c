/* reload.c - from cyrus.conf to the service table and the events, at start-up and on SIGHUP (spec/master.md 4, 14). A
 * reload reads and checks everything first; whatever is wrong, the old configuration stays. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/program.h"
#include "master/master.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void log_note(void *arg, enum cyrusconf_note how, unsigned line, const char *text)
{
	const struct master *m = arg;
	log_msg(how == NOTE_WARNING ? LOG_WARNING : LOG_DEBUG, "configuration file %s: line %u: %s", m->cyrus_path, line, text);
}

int master_read(struct master *m, struct cyrusconf *out, bool reload)
{
	struct buf text = BUF_INIT;
	struct cyrusconf_error err;
	*out = (struct cyrusconf)CYRUSCONF_INIT;
	if (file_read(m->cyrus_path, CYRUSCONF_SIZE_MAX, &text) < 0) {
		log_msg(LOG_ERR, "can't open configuration file %s: %s", m->cyrus_path, strerror(errno));
		buf_free(&text);
		return ERR_CONFIG;
	}
	int r = cyrusconf_parse(out, text.s, text.len, reload, log_note, m, &err);
	buf_free(&text);
	if (!r) return 0;
	log_msg(LOG_ERR, "configuration file %s: line %u: %s", m->cyrus_path, err.line, err.text);
	return ERR_CONFIG;
}

int master_check(const struct cyrusconf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct cyrusconf_entry *e = &c->entries[i];
		if (e->section != SECTION_SERVICES && e->section != SECTION_DAEMON) continue;
		char *path = program_path(e->argv.v[0]);
		bool ok = program_runnable(path);
		if (!ok) log_msg(LOG_ERR, "cannot find executable for %s '%s': %s", e->section == SECTION_DAEMON ? "daemon" : "service",
			e->name, path);
		free(path);
		if (!ok) return ERR_CONFIG;
	}
	return events_check(c);
}

static void apply_daemon(struct master *m, const struct cyrusconf_entry *e)
{
	struct service *s = services_named(&m->services, e->name);
	while (s && !s->daemon) s = s->namesake;
	if (!s) s = service_new(&m->services, e, "daemon");
	s->daemon = true;
	s->instance = 0;
	service_configure(s, e);
}

/* Every child of a slot, and nobody twice. Wait daemons are left alone: others depend on them. */
static void hup_children(struct master *m)
{
	m->hup_sent = m->now;
	for (struct child *c = m->children.all; c; c = c->next) {
		if (c->kind == KIND_ZOMBIE || !c->service || c->waited) continue;
		c->hup_sent = m->now;
		c->hup_logged = false;
		m->kernel->kill(c->pid, SIGHUP);
	}
}

static void warn_of_maxfds(const struct master *m, const struct service *s)
{
	rlim_t most = m->files_given.rlim_max;
	if (s->enabled && s->maxfds > 0 && most && most != RLIM_INFINITY && (rlim_t)s->maxfds > most)
		log_msg(LOG_WARNING, "service %s: maxfds=%d is above the hard limit, using %llu", s->label, s->maxfds,
			(unsigned long long)most);
}

int master_apply(struct master *m, const struct cyrusconf *c, bool reload)
{
	int bad = 0;
	for (size_t i = 0; i < m->services.slots.n; i++) service_at(&m->services, i)->enabled = false;
	for (size_t i = 0; i < c->n; i++) {
		if (c->entries[i].section == SECTION_DAEMON) apply_daemon(m, &c->entries[i]);
		if (c->entries[i].section == SECTION_SERVICES) bad += listen_entry(m, &c->entries[i]);
	}
	listen_summary(m);
	for (size_t i = 0; i < m->services.slots.n; i++) {
		struct service *s = service_at(&m->services, i);
		if (!s->enabled) service_close(s);
		warn_of_maxfds(m, s);
		service_changed(s);
	}
	if (reload) hup_children(m);
	events_load(&m->events, c, m->now, clock_now());
	m->janitor_mark = m->now;
	m->metrics_due = m->now;
	if (bad && !reload && m->conf && conf_bool(m->conf, OPT_MASTER_BIND_ERRORS_FATAL)) return EX_UNAVAILABLE;
	return 0;
}

void master_reload(struct master *m)
{
	struct cyrusconf c;
	unsigned services = 0, sockets = 0;
	log_msg(LOG_NOTICE, "got SIGHUP");
	notify_reloading(&m->notify, m->now);
	if (master_read(m, &c, true) || master_check(&c)) {
		log_msg(LOG_ERR, "keeping the old configuration");
		cyrusconf_free(&c);
		manager_ready(m);
		return;
	}
	master_apply(m, &c, true);
	for (size_t i = 0; i < m->services.slots.n; i++) {
		services += service_at(&m->services, i)->enabled;
		sockets += service_at(&m->services, i)->sock >= 0;
	}
	log_msg(LOG_NOTICE, "Services reconfigured. %u out of %zu services and daemons are to run now, %u sockets, %zu events",
		services, m->services.slots.n, sockets, m->events.n);
	cyrusconf_free(&c);
	manager_ready(m);
}
