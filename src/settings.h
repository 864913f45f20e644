/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_SETTINGS_H
#define _FTUN_SETTINGS_H

#include <linux/if.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "armed.h"
#include "net.h"

struct ftun_path;
struct net_device;
struct nf_conn;
struct sk_buff;

/**
 * struct ftun_rule - a tunnel or device is allowed or denied
 * @kind:    enum ftun_nl_rule_kind
 * @verdict: enum ftun_nl_verdict, never NONE
 * @name:    by name, so that it holds for devices that come later
 */
struct ftun_rule {
	u8	kind;
	u8	verdict;
	char	name[IFNAMSIZ];
};

/**
 * struct ftun_settings - what can be set for a network namespace
 *
 * Constant while it can be found; a change makes a new one.
 *
 * @select:       enum ftun_nl_select
 * @select_value: what the mark must be, or the label's bit
 * @select_mask:  bits of the mark that count
 * @protocols:    enum ftun_nl_protocol
 * @learn_after:  packets of a direction to be seen before it is learned
 * @flow_limit:   most connections; 0: the module's
 * @tcp_timeout:  seconds; 0: the kernel's nf_flowtable_tcp_timeout
 * @udp_timeout:  likewise
 * @changed:      jiffies at which they began to hold
 * @armed:        learn and accelerate
 * @assured:      learn only assured connections
 * @plain:        learn connections that use no tunnel too
 * @hook:         enum ftun_nl_hook
 * @rule_count:   length of @rules
 * @rcu:          frees it
 * @rules:        tunnels and devices
 */
struct ftun_settings {
	u32			select;
	u32			select_value;
	u32			select_mask;
	u32			protocols;
	u32			learn_after;
	u32			flow_limit;
	u32			tcp_timeout;
	u32			udp_timeout;
	u32			changed;
	bool			armed;
	bool			assured;
	bool			plain;
	u8			hook;
	u16			rule_count;
	struct rcu_head		rcu;
	struct ftun_rule	rules[];
};

/* Any context. All that the fast path asks about settings. */
static inline bool ftun_settings_armed(const struct ftun_net *fn)
{
	return READ_ONCE(fn->armed) && READ_ONCE(ftun_armed);
}

/* Are connections without a tunnel to be learned too? */
static inline bool ftun_settings_plain(const struct ftun_net *fn)
{
	return READ_ONCE(fn->plain);
}

int ftun_settings_net_init(struct ftun_net *fn);
void ftun_settings_net_exit(struct ftun_net *fn);
struct ftun_settings *ftun_settings_defaults(unsigned int rules);
struct ftun_settings *ftun_settings_copy(const struct ftun_settings *from,
					 unsigned int rules);
bool ftun_settings_replace(struct ftun_net *fn, struct ftun_settings *new);

u32 ftun_settings_flow_limit(const struct ftun_net *fn);
u32 ftun_settings_idle(const struct ftun_net *fn, u8 l4proto);
int ftun_settings_hook_priority(const struct ftun_net *fn);
enum ftun_stat ftun_settings_select(const struct ftun_net *fn,
				    const struct nf_conn *ct, const u32 *mark);
bool ftun_settings_seen_enough(const struct ftun_net *fn, u16 *seen);
bool ftun_settings_changed_since(const struct ftun_net *fn, u32 since);
enum ftun_stat ftun_settings_admit(const struct ftun_net *fn,
				   const struct ftun_path *path);
bool ftun_settings_allowed(const struct ftun_net *fn, u8 kind,
			   const struct net_device *dev);

#endif /* _FTUN_SETTINGS_H */
