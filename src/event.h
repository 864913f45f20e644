/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_EVENT_H
#define _FTUN_EVENT_H

#include <uapi/linux/nf_flowtable_tun.h>

#include "stats.h"

struct net;
struct nf_conn;

/**
 * struct ftun_event - something happened to a connection
 * @net:    where
 * @ct:     its conntrack entry
 * @id:     its number
 * @index:  its direction that it happened to, or IP_CT_DIR_MAX for both
 * @what:   what happened
 * @reason: why, or FTUN_OK
 */
struct ftun_event {
	struct net		*net;
	const struct nf_conn	*ct;
	u64			id;
	u8			index;
	enum ftun_nl_event	what;
	enum ftun_stat		reason;
};

typedef void (*ftun_event_fn)(const struct ftun_event *event);

void ftun_event_listen(ftun_event_fn listener);
void ftun_event(const struct ftun_event *event);

#endif /* _FTUN_EVENT_H */
