/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_SETTINGS_H
#define FLOWTUN_SETTINGS_H

#include <net/if.h>

#include "nl.h"

/**
 * struct settings - of a network namespace, as the module tells them
 * @armed:        learn and accelerate
 * @assured:      only assured connections
 * @plain:        those that use no tunnel too
 * @module_armed: the module's parameter
 * @module_limit: likewise
 * @select:       enum ftun_nl_select
 * @value:        of the mark, or a label's bit
 * @mask:         of the mark
 * @protocols:    enum ftun_nl_protocol
 * @learn_after:  packets
 * @flow_limit:   0: the module's
 * @hook:         enum ftun_nl_hook
 * @tcp_timeout:  seconds; 0: the sysctl
 * @udp_timeout:  likewise
 * @version:      of the module
 * @rule_count:   length of @rules
 * @rules:        tunnels and devices
 */
struct settings {
	bool		armed;
	bool		assured;
	bool		plain;
	bool		module_armed;
	uint32_t	module_limit;
	uint32_t	select;
	uint32_t	value;
	uint32_t	mask;
	uint32_t	protocols;
	uint32_t	learn_after;
	uint32_t	flow_limit;
	uint32_t	hook;
	uint32_t	tcp_timeout;
	uint32_t	udp_timeout;
	char		version[32];
	unsigned int	rule_count;
	struct rule {
		uint32_t	kind;
		uint32_t	verdict;
		char		name[IF_NAMESIZE];
	} rules[NF_FLOWTUN_RULES_MAX];
};

int settings_read(struct nl *nl, bool defaults, struct settings *set);

#endif
