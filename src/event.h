/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_EVENT_H
#define _FTUN_EVENT_H

#include <uapi/linux/nf_flowtable_tun.h>

#include "stats.h"

struct ftun_dir;
struct ftun_flow;

void ftun_event_flow(const struct ftun_flow *flow, enum ftun_nl_event event,
		     enum ftun_stat reason);
void ftun_event_dir(const struct ftun_flow *flow, const struct ftun_dir *dir,
		    enum ftun_nl_event event, enum ftun_stat reason);

#endif /* _FTUN_EVENT_H */
