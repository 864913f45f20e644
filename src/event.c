// SPDX-License-Identifier: GPL-2.0
/* What becomes of connections is told to who listens: tracepoints and netlink. */
#include "event.h"

#include "flow.h"
#include "netlink.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static void event_trace(const struct ftun_flow *flow, int index,
			enum ftun_nl_event event, enum ftun_stat reason)
{
	switch (event) {
	case FTUN_NL_EVENT_LEARNED:
		trace_ftun_learn(flow, index, reason);
		break;
	case FTUN_NL_EVENT_PROVEN:
		trace_ftun_prove(flow, index, reason);
		break;
	case FTUN_NL_EVENT_ARMED:
		trace_ftun_arm(flow, index, reason);
		break;
	case FTUN_NL_EVENT_REFUSED:
		trace_ftun_refuse(flow, index, reason);
		break;
	case FTUN_NL_EVENT_STALE:
		trace_ftun_stale(flow, index, reason);
		break;
	case FTUN_NL_EVENT_ENDED:
		trace_ftun_end(flow, index, reason);
	}
}

/**
 * ftun_event_flow() - something happened to a connection
 * @flow:   the connection
 * @event:  what
 * @reason: why, or FTUN_OK
 *
 * Context: BH off.
 */
void ftun_event_flow(const struct ftun_flow *flow, enum ftun_nl_event event,
		     enum ftun_stat reason)
{
	event_trace(flow, IP_CT_DIR_ORIGINAL, event, reason);
	ftun_netlink_event(flow, IP_CT_DIR_MAX, event, reason);
}

/**
 * ftun_event_dir() - something happened to one direction of a connection
 * @flow:   the connection, locked
 * @dir:    its direction
 * @event:  what
 * @reason: why, or FTUN_OK
 *
 * Context: BH off.
 */
void ftun_event_dir(const struct ftun_flow *flow, const struct ftun_dir *dir,
		    enum ftun_nl_event event, enum ftun_stat reason)
{
	lockdep_assert_held(&flow->lock);
	event_trace(flow, dir - flow->dir, event, reason);
	ftun_netlink_event(flow, dir - flow->dir, event, reason);
}
