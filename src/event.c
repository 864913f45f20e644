// SPDX-License-Identifier: GPL-2.0
/* What becomes of connections is told to who listens: tracepoints and netlink. */
#include "event.h"

#include <linux/rcupdate.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Called under RCU */
static ftun_event_fn event_listener;

static void event_trace(const struct ftun_event *event)
{
	switch (event->what) {
	case FTUN_NL_EVENT_LEARNED:
		trace_ftun_learn(event);
		break;
	case FTUN_NL_EVENT_PROVEN:
		trace_ftun_prove(event);
		break;
	case FTUN_NL_EVENT_ARMED:
		trace_ftun_arm(event);
		break;
	case FTUN_NL_EVENT_REFUSED:
		trace_ftun_refuse(event);
		break;
	case FTUN_NL_EVENT_STALE:
		trace_ftun_stale(event);
		break;
	case FTUN_NL_EVENT_ENDED:
		trace_ftun_end(event);
	}
}

/**
 * ftun_event_listen() - have events told to someone besides tracepoints
 * @listener: called for each of them, with BH off; NULL for nobody. When this
 *            returns, whoever listened before is not called any more
 *
 * Context: process.
 */
void ftun_event_listen(ftun_event_fn listener)
{
	WRITE_ONCE(event_listener, listener);
	synchronize_rcu();
}

/**
 * ftun_event() - tell of something that happened to a connection
 * @event: what
 *
 * Context: BH off.
 */
void ftun_event(const struct ftun_event *event)
{
	ftun_event_fn listener;

	event_trace(event);
	rcu_read_lock();
	listener = READ_ONCE(event_listener);
	if (listener)
		listener(event);
	rcu_read_unlock();
}
