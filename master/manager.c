/* manager.c - what the service manager is told about this master (notify.h says how). */
#include "master/master.h"

static const char *summary(const struct master *m, char *to)
{
	unsigned services = 0, disabled = 0, active = 0;
	for (size_t i = 0; i < m->services.slots.n; i++) {
		const struct service *s = service_at(&m->services, i);
		services += s->enabled;
		disabled += s->enabled && s->failed;
		active += service_active(s);
	}
	return notify_status(to, services, disabled, active);
}

void manager_ready(struct master *m)
{
	char text[NOTIFY_STATUS_MAX];
	notify_ready(&m->notify, m->now, summary(m, text));
}

void manager_phase(struct master *m)
{
	char text[NOTIFY_STATUS_MAX];
	notify_phase(&m->notify, m->now, notify_wants_status(&m->notify, m->now) ? summary(m, text) : NULL);
}
