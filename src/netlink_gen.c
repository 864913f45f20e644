// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	spec/nf_flowtable_tun.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: scripts/netlink-gen */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/nf_flowtable_tun.h>

/* Integer value ranges */
static const struct netlink_range_validation ftun_a_settings_learn_after_range = {
	.max	= 65535ULL,
};

static const struct netlink_range_validation ftun_a_settings_tcp_timeout_range = {
	.max	= 432000ULL,
};

static const struct netlink_range_validation ftun_a_settings_udp_timeout_range = {
	.max	= 432000ULL,
};

/* Common nested types */
const struct nla_policy nf_flowtun_filter_nl_policy[FTUN_A_FILTER_OUTER_DPORT + 1] = {
	[FTUN_A_FILTER_L4PROTO] = { .type = NLA_U8, },
	[FTUN_A_FILTER_SRC4] = { .type = NLA_BE32, },
	[FTUN_A_FILTER_DST4] = { .type = NLA_BE32, },
	[FTUN_A_FILTER_SRC6] = NLA_POLICY_EXACT_LEN(16),
	[FTUN_A_FILTER_DST6] = NLA_POLICY_EXACT_LEN(16),
	[FTUN_A_FILTER_SRC_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[FTUN_A_FILTER_DST_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[FTUN_A_FILTER_SPORT] = { .type = NLA_BE16, },
	[FTUN_A_FILTER_DPORT] = { .type = NLA_BE16, },
	[FTUN_A_FILTER_STATE] = NLA_POLICY_MAX(NLA_U32, 5),
	[FTUN_A_FILTER_REASON] = { .type = NLA_NUL_STRING, .len = 31, },
	[FTUN_A_FILTER_TUNNEL] = { .type = NLA_U32, },
	[FTUN_A_FILTER_DEVICE] = { .type = NLA_U32, },
	[FTUN_A_FILTER_ZONE] = { .type = NLA_U16, },
	[FTUN_A_FILTER_ENCAP] = NLA_POLICY_MAX(NLA_U32, 2),
	[FTUN_A_FILTER_OUTER_SRC4] = { .type = NLA_BE32, },
	[FTUN_A_FILTER_OUTER_DST4] = { .type = NLA_BE32, },
	[FTUN_A_FILTER_OUTER_SRC6] = NLA_POLICY_EXACT_LEN(16),
	[FTUN_A_FILTER_OUTER_DST6] = NLA_POLICY_EXACT_LEN(16),
	[FTUN_A_FILTER_KEY] = { .type = NLA_BE32, },
	[FTUN_A_FILTER_UDP_ENCAP] = NLA_POLICY_MAX(NLA_U32, 2),
	[FTUN_A_FILTER_OUTER_SPORT] = { .type = NLA_BE16, },
	[FTUN_A_FILTER_OUTER_DPORT] = { .type = NLA_BE16, },
};

const struct nla_policy nf_flowtun_rule_nl_policy[FTUN_A_RULE_VERDICT + 1] = {
	[FTUN_A_RULE_KIND] = NLA_POLICY_MAX(NLA_U32, 1),
	[FTUN_A_RULE_NAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[FTUN_A_RULE_VERDICT] = NLA_POLICY_MAX(NLA_U32, 2),
};

const struct nla_policy nf_flowtun_tuple_nl_policy[FTUN_A_TUPLE_ZONE + 1] = {
	[FTUN_A_TUPLE_L4PROTO] = { .type = NLA_U8, },
	[FTUN_A_TUPLE_SRC4] = { .type = NLA_BE32, },
	[FTUN_A_TUPLE_DST4] = { .type = NLA_BE32, },
	[FTUN_A_TUPLE_SRC6] = NLA_POLICY_EXACT_LEN(16),
	[FTUN_A_TUPLE_DST6] = NLA_POLICY_EXACT_LEN(16),
	[FTUN_A_TUPLE_SPORT] = { .type = NLA_BE16, },
	[FTUN_A_TUPLE_DPORT] = { .type = NLA_BE16, },
	[FTUN_A_TUPLE_ZONE] = { .type = NLA_U16, },
};

/* FTUN_CMD_SETTINGS_GET - do */
const struct nla_policy nf_flowtun_settings_get_nl_policy[FTUN_A_SETTINGS_DEFAULTS + 1] = {
	[FTUN_A_SETTINGS_DEFAULTS] = { .type = NLA_FLAG, },
};

/* FTUN_CMD_SETTINGS_SET - do */
const struct nla_policy nf_flowtun_settings_set_nl_policy[FTUN_A_SETTINGS_PLAIN + 1] = {
	[FTUN_A_SETTINGS_ARMED] = NLA_POLICY_MAX(NLA_U8, 1),
	[FTUN_A_SETTINGS_SELECT] = NLA_POLICY_MAX(NLA_U32, 3),
	[FTUN_A_SETTINGS_SELECT_VALUE] = { .type = NLA_U32, },
	[FTUN_A_SETTINGS_SELECT_MASK] = { .type = NLA_U32, },
	[FTUN_A_SETTINGS_PROTOCOLS] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[FTUN_A_SETTINGS_LEARN_AFTER] = NLA_POLICY_FULL_RANGE(NLA_U32, &ftun_a_settings_learn_after_range),
	[FTUN_A_SETTINGS_ASSURED] = NLA_POLICY_MAX(NLA_U8, 1),
	[FTUN_A_SETTINGS_FLOW_LIMIT] = { .type = NLA_U32, },
	[FTUN_A_SETTINGS_HOOK] = NLA_POLICY_MAX(NLA_U32, 1),
	[FTUN_A_SETTINGS_TCP_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &ftun_a_settings_tcp_timeout_range),
	[FTUN_A_SETTINGS_UDP_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &ftun_a_settings_udp_timeout_range),
	[FTUN_A_SETTINGS_RULE] = NLA_POLICY_NESTED(nf_flowtun_rule_nl_policy),
	[FTUN_A_SETTINGS_RESET] = { .type = NLA_FLAG, },
	[FTUN_A_SETTINGS_PLAIN] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* FTUN_CMD_FLOW_GET - do */
const struct nla_policy nf_flowtun_flow_get_nl_policy[FTUN_A_FLOW_FILTER + 1] = {
	[FTUN_A_FLOW_ID] = { .type = NLA_U64, },
	[FTUN_A_FLOW_TUPLE] = NLA_POLICY_NESTED(nf_flowtun_tuple_nl_policy),
	[FTUN_A_FLOW_FILTER] = NLA_POLICY_NESTED(nf_flowtun_filter_nl_policy),
};

/* FTUN_CMD_FLOW_DEL - do */
const struct nla_policy nf_flowtun_flow_del_nl_policy[FTUN_A_FLOW_ALL + 1] = {
	[FTUN_A_FLOW_ID] = { .type = NLA_U64, },
	[FTUN_A_FLOW_TUPLE] = NLA_POLICY_NESTED(nf_flowtun_tuple_nl_policy),
	[FTUN_A_FLOW_FILTER] = NLA_POLICY_NESTED(nf_flowtun_filter_nl_policy),
	[FTUN_A_FLOW_ALL] = { .type = NLA_FLAG, },
};

/* FTUN_CMD_STAT_GET - do */
const struct nla_policy nf_flowtun_stat_get_nl_policy[FTUN_A_STAT_NAME + 1] = {
	[FTUN_A_STAT_NAME] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* FTUN_CMD_DEVICE_GET - do */
const struct nla_policy nf_flowtun_device_get_nl_policy[FTUN_A_DEVICE_IFINDEX + 1] = {
	[FTUN_A_DEVICE_IFINDEX] = { .type = NLA_U32, },
};

/* FTUN_CMD_TUNNEL_GET - do */
const struct nla_policy nf_flowtun_tunnel_get_nl_policy[FTUN_A_TUNNEL_IFINDEX + 1] = {
	[FTUN_A_TUNNEL_IFINDEX] = { .type = NLA_U32, },
};

/* Ops table for nf_flowtun */
const struct genl_ops nf_flowtun_nl_ops[7] = {
	{
		.cmd		= FTUN_CMD_SETTINGS_GET,
		.doit		= ftun_nl_settings_get_doit,
		.policy		= nf_flowtun_settings_get_nl_policy,
		.maxattr	= FTUN_A_SETTINGS_DEFAULTS,
	},
	{
		.cmd		= FTUN_CMD_SETTINGS_SET,
		.doit		= ftun_nl_settings_set_doit,
		.policy		= nf_flowtun_settings_set_nl_policy,
		.maxattr	= FTUN_A_SETTINGS_PLAIN,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FTUN_CMD_FLOW_GET,
		.doit		= ftun_nl_flow_get_doit,
		.dumpit		= ftun_nl_flow_get_dumpit,
		.policy		= nf_flowtun_flow_get_nl_policy,
		.maxattr	= FTUN_A_FLOW_FILTER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FTUN_CMD_FLOW_DEL,
		.doit		= ftun_nl_flow_del_doit,
		.policy		= nf_flowtun_flow_del_nl_policy,
		.maxattr	= FTUN_A_FLOW_ALL,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FTUN_CMD_STAT_GET,
		.doit		= ftun_nl_stat_get_doit,
		.dumpit		= ftun_nl_stat_get_dumpit,
		.policy		= nf_flowtun_stat_get_nl_policy,
		.maxattr	= FTUN_A_STAT_NAME,
	},
	{
		.cmd		= FTUN_CMD_DEVICE_GET,
		.doit		= ftun_nl_device_get_doit,
		.dumpit		= ftun_nl_device_get_dumpit,
		.policy		= nf_flowtun_device_get_nl_policy,
		.maxattr	= FTUN_A_DEVICE_IFINDEX,
	},
	{
		.cmd		= FTUN_CMD_TUNNEL_GET,
		.doit		= ftun_nl_tunnel_get_doit,
		.dumpit		= ftun_nl_tunnel_get_dumpit,
		.policy		= nf_flowtun_tunnel_get_nl_policy,
		.maxattr	= FTUN_A_TUNNEL_IFINDEX,
	},
};
