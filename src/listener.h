/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_LISTENER_H
#define _FTUN_LISTENER_H

#include <linux/types.h>

struct net;
struct socket;

/**
 * struct ftun_listener - hears what the kernel announces to netlink groups
 * @sock:   where it arrives
 * @missed: an announcement could not be made for lack of memory; never false again
 * @heard:  called for each announcement, or several of them at once. BH may be off
 */
struct ftun_listener {
	struct socket	*sock;
	bool		missed;
	void		(*heard)(struct ftun_listener *listener);
};

int ftun_listener_start(struct ftun_listener *listener, struct net *net,
			int protocol, u32 groups);
void ftun_listener_stop(struct ftun_listener *listener);

#endif /* _FTUN_LISTENER_H */
