// SPDX-License-Identifier: GPL-2.0
/* What becomes of connections is told over netlink. */
#include <net/netfilter/nf_conntrack.h>

#include "event.h"
#include "netlink.h"
#include "netlink_gen.h"

/* A connection by its addresses as conntrack has them. */
static int put_event(struct sk_buff *msg, const struct ftun_event *event)
{
	if (nla_put_u32(msg, FTUN_A_FLOW_EVENT, event->what))
		return -EMSGSIZE;
	if (event->index < IP_CT_DIR_MAX &&
	    nla_put_u8(msg, FTUN_A_FLOW_IS_REPLY, event->index))
		return -EMSGSIZE;
	if (event->reason < FTUN_STAT_MAX &&
	    nla_put_string(msg, FTUN_A_FLOW_REASON,
			   ftun_stat_name(event->reason)))
		return -EMSGSIZE;
	return ftun_netlink_put_names(msg, event->id, event->ct);
}

static struct sk_buff *event_message(const struct ftun_event *event)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	void *hdr;

	if (!msg)
		return NULL;
	hdr = genlmsg_put(msg, 0, 0, &ftun_netlink_family, 0,
			  FTUN_CMD_FLOW_EVENT);
	if (!hdr || put_event(msg, event)) {
		nlmsg_free(msg);
		return NULL;
	}
	genlmsg_end(msg, hdr);
	return msg;
}

/* A listener that is too slow loses events, and its socket says so; nothing is kept
 * for it beyond its socket's buffer.
 */
static void tell(const struct ftun_event *event)
{
	struct sk_buff *msg;

	if (genl_has_listeners(&ftun_netlink_family, event->net,
			       NF_FLOWTUN_NLGRP_EVENTS) <= 0)
		return;
	msg = event_message(event);
	if (msg)
		genlmsg_multicast_netns(&ftun_netlink_family, event->net, msg,
					0, NF_FLOWTUN_NLGRP_EVENTS, GFP_ATOMIC);
}

/* After the family, to whose groups events are sent */
void ftun_netlink_event_init(void)
{
	ftun_event_listen(tell);
}

void ftun_netlink_event_exit(void)
{
	ftun_event_listen(NULL);
}
