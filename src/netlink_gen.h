/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	spec/nf_flowtable_tun.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: scripts/netlink-gen */

#ifndef _LINUX_NF_FLOWTUN_GEN_H
#define _LINUX_NF_FLOWTUN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/nf_flowtable_tun.h>

/* Common nested types */
extern const struct nla_policy nf_flowtun_filter_nl_policy[FTUN_A_FILTER_OUTER_DPORT + 1];
extern const struct nla_policy nf_flowtun_rule_nl_policy[FTUN_A_RULE_VERDICT + 1];
extern const struct nla_policy nf_flowtun_tuple_nl_policy[FTUN_A_TUPLE_ZONE + 1];

extern const struct nla_policy nf_flowtun_settings_get_nl_policy[FTUN_A_SETTINGS_DEFAULTS + 1];

extern const struct nla_policy nf_flowtun_settings_set_nl_policy[FTUN_A_SETTINGS_PLAIN + 1];

extern const struct nla_policy nf_flowtun_flow_get_nl_policy[FTUN_A_FLOW_FILTER + 1];

extern const struct nla_policy nf_flowtun_flow_del_nl_policy[FTUN_A_FLOW_ALL + 1];

extern const struct nla_policy nf_flowtun_stat_get_nl_policy[FTUN_A_STAT_NAME + 1];

extern const struct nla_policy nf_flowtun_device_get_nl_policy[FTUN_A_DEVICE_IFINDEX + 1];

extern const struct nla_policy nf_flowtun_tunnel_get_nl_policy[FTUN_A_TUNNEL_IFINDEX + 1];

/* Ops table for nf_flowtun */
extern const struct genl_ops nf_flowtun_nl_ops[7];

int ftun_nl_settings_get_doit(struct sk_buff *skb, struct genl_info *info);
int ftun_nl_settings_set_doit(struct sk_buff *skb, struct genl_info *info);
int ftun_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info);
int ftun_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ftun_nl_flow_del_doit(struct sk_buff *skb, struct genl_info *info);
int ftun_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info);
int ftun_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ftun_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int ftun_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ftun_nl_tunnel_get_doit(struct sk_buff *skb, struct genl_info *info);
int ftun_nl_tunnel_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	NF_FLOWTUN_NLGRP_EVENTS,
};

#endif /* _LINUX_NF_FLOWTUN_GEN_H */
