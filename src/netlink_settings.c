// SPDX-License-Identifier: GPL-2.0
/* Settings over netlink: all that a request wants is changed at once, or nothing is. */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_labels.h>

#include "devices.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "settings.h"

/* A rule with its headers, and everything else. */
#define RULE_SIZE	64
#define REST_SIZE	512

static int put_rule(struct sk_buff *msg, const struct ftun_rule *rule)
{
	struct nlattr *nest = nla_nest_start(msg, FTUN_A_SETTINGS_RULE);

	if (!nest || nla_put_u32(msg, FTUN_A_RULE_KIND, rule->kind) ||
	    nla_put_string(msg, FTUN_A_RULE_NAME, rule->name) ||
	    nla_put_u32(msg, FTUN_A_RULE_VERDICT, rule->verdict))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_rules(struct sk_buff *msg, const struct ftun_settings *set)
{
	int i;

	for (i = 0; i < set->rule_count; i++)
		if (put_rule(msg, &set->rules[i]))
			return -EMSGSIZE;
	return 0;
}

static int put_settings(struct sk_buff *msg, const struct ftun_settings *set)
{
	if (nla_put_u8(msg, FTUN_A_SETTINGS_ARMED, set->armed) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_SELECT, set->select) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_SELECT_VALUE, set->select_value) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_SELECT_MASK, set->select_mask) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_PROTOCOLS, set->protocols) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_LEARN_AFTER, set->learn_after) ||
	    nla_put_u8(msg, FTUN_A_SETTINGS_ASSURED, set->assured) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_FLOW_LIMIT, set->flow_limit) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_HOOK, set->hook) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_TCP_TIMEOUT, set->tcp_timeout) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_UDP_TIMEOUT, set->udp_timeout) ||
	    nla_put_u8(msg, FTUN_A_SETTINGS_PLAIN, set->plain))
		return -EMSGSIZE;
	return put_rules(msg, set);
}

static int put_module(struct sk_buff *msg)
{
	if (nla_put_u8(msg, FTUN_A_SETTINGS_MODULE_ARMED,
		       READ_ONCE(ftun_armed)) ||
	    nla_put_u32(msg, FTUN_A_SETTINGS_MODULE_FLOW_LIMIT,
			READ_ONCE(ftun_flow_limit)) ||
	    nla_put_string(msg, FTUN_A_SETTINGS_MODULE_VERSION, FTUN_VERSION))
		return -EMSGSIZE;
	return 0;
}

static int answer_settings(struct genl_info *info,
			   const struct ftun_settings *set)
{
	struct sk_buff *msg;
	void *hdr;

	msg = ftun_netlink_answer(info,
				  REST_SIZE + set->rule_count * RULE_SIZE,
				  &hdr);
	if (!msg)
		return -ENOMEM;
	if (!put_settings(msg, set) && !put_module(msg))
		return ftun_netlink_reply(msg, info, hdr);
	nlmsg_free(msg);
	return -EMSGSIZE;
}

static int answer_defaults(struct genl_info *info)
{
	struct ftun_settings *set = ftun_settings_defaults(0);
	int err;

	if (!set)
		return -ENOMEM;
	err = answer_settings(info, set);
	kfree(set);
	return err;
}

static const struct ftun_settings *locked_settings(const struct ftun_net *fn)
{
	return rcu_dereference_protected(fn->settings,
					 lockdep_is_held(&fn->settings_lock));
}

int ftun_nl_settings_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ftun_net *fn = ftun_net_get(genl_info_net(info));
	int err = ftun_netlink_check(info->nlhdr, 0, info->extack);

	if (err)
		return err;
	if (info->attrs[FTUN_A_SETTINGS_DEFAULTS])
		return answer_defaults(info);
	mutex_lock(&fn->settings_lock);
	err = answer_settings(info, locked_settings(fn));
	mutex_unlock(&fn->settings_lock);
	return err;
}

static void read_u32(u32 *value, const struct nlattr *attr)
{
	if (attr)
		*value = nla_get_u32(attr);
}

static void read_bool(bool *value, const struct nlattr *attr)
{
	if (attr)
		*value = nla_get_u8(attr);
}

static void read_values(struct ftun_settings *set, struct nlattr **tb)
{
	read_bool(&set->armed, tb[FTUN_A_SETTINGS_ARMED]);
	read_bool(&set->assured, tb[FTUN_A_SETTINGS_ASSURED]);
	read_bool(&set->plain, tb[FTUN_A_SETTINGS_PLAIN]);
	read_u32(&set->select, tb[FTUN_A_SETTINGS_SELECT]);
	read_u32(&set->select_value, tb[FTUN_A_SETTINGS_SELECT_VALUE]);
	read_u32(&set->select_mask, tb[FTUN_A_SETTINGS_SELECT_MASK]);
	read_u32(&set->protocols, tb[FTUN_A_SETTINGS_PROTOCOLS]);
	read_u32(&set->learn_after, tb[FTUN_A_SETTINGS_LEARN_AFTER]);
	read_u32(&set->flow_limit, tb[FTUN_A_SETTINGS_FLOW_LIMIT]);
	read_u32(&set->tcp_timeout, tb[FTUN_A_SETTINGS_TCP_TIMEOUT]);
	read_u32(&set->udp_timeout, tb[FTUN_A_SETTINGS_UDP_TIMEOUT]);
	if (tb[FTUN_A_SETTINGS_HOOK])
		set->hook = nla_get_u32(tb[FTUN_A_SETTINGS_HOOK]);
}

/* Values that are fine by themselves need not be so together. */
static int check_values(const struct ftun_settings *set,
			struct netlink_ext_ack *extack)
{
	if (!set->protocols) {
		NL_SET_ERR_MSG(extack,
			       "no protocol: disarm instead of selecting none");
		return -EINVAL;
	}
	if (set->select == FTUN_NL_SELECT_CT_LABEL &&
	    set->select_value >= NF_CT_LABELS_MAX_SIZE * BITS_PER_BYTE) {
		NL_SET_ERR_MSG(extack, "a label's bit is less than 128");
		return -ERANGE;
	}
	if ((set->select == FTUN_NL_SELECT_CT_MARK ||
	     set->select == FTUN_NL_SELECT_MARK) &&
	    set->select_value & ~set->select_mask) {
		NL_SET_ERR_MSG(extack,
			       "no mark can fit: the value has bits that the mask has not");
		return -EINVAL;
	}
	return 0;
}

static int rule_find(const struct ftun_settings *set,
		     const struct ftun_rule *rule)
{
	int i;

	for (i = 0; i < set->rule_count; i++)
		if (set->rules[i].kind == rule->kind &&
		    !strcmp(set->rules[i].name, rule->name))
			break;
	return i;
}

/* There is room for one more: count_rules() saw to it, up to as many as may be. */
static int rule_apply(struct ftun_settings *set, const struct ftun_rule *rule,
		      const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	int i = rule_find(set, rule);

	if (rule->verdict != FTUN_NL_VERDICT_NONE) {
		if (i == NF_FLOWTUN_RULES_MAX) {
			NL_SET_ERR_MSG(extack, "too many rules");
			return -ENOSPC;
		}
		set->rule_count = max_t(int, set->rule_count, i + 1);
		set->rules[i] = *rule;
		return 0;
	}
	if (i == set->rule_count) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "there is no such rule");
		return -ENOENT;
	}
	set->rules[i] = set->rules[--set->rule_count];
	return 0;
}

/* A name that a device could have, and nothing behind its end. */
static int rule_name(struct ftun_rule *rule, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	ssize_t len = nla_strscpy(rule->name, attr, sizeof(rule->name));

	if (len > 0 && len == strlen(rule->name) && dev_valid_name(rule->name))
		return 0;
	if (len)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "no device can have this name");
	else
		NL_SET_ERR_MSG_ATTR(extack, attr, "empty name");
	return -EINVAL;
}

static int rule_parse(struct ftun_rule *rule, const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[FTUN_A_RULE_MAX + 1];
	int err, i;

	err = ftun_netlink_check_nest(nest, extack);
	if (!err)
		err = nla_parse_nested(tb, FTUN_A_RULE_MAX, nest,
				       nf_flowtun_rule_nl_policy, extack);
	if (err)
		return err;
	for (i = 1; i <= FTUN_A_RULE_MAX; i++) {
		if (tb[i])
			continue;
		NL_SET_ERR_ATTR_MISS(extack, (struct nlattr *)nest, i);
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "a rule has a kind, a name and a verdict");
		return -EINVAL;
	}
	memset(rule, 0, sizeof(*rule));
	rule->kind = nla_get_u32(tb[FTUN_A_RULE_KIND]);
	rule->verdict = nla_get_u32(tb[FTUN_A_RULE_VERDICT]);
	return rule_name(rule, tb[FTUN_A_RULE_NAME], extack);
}

static bool is_rule(const struct nlattr *attr)
{
	return nla_type(attr) == FTUN_A_SETTINGS_RULE;
}

/* No more than there may be in the end. */
static unsigned int count_rules(const struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		count += is_rule(attr);
	return min_t(unsigned int, count, NF_FLOWTUN_RULES_MAX);
}

static int read_rules(struct ftun_settings *set, struct genl_info *info)
{
	const struct nlattr *attr;
	struct ftun_rule rule;
	int err, rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (!is_rule(attr))
			continue;
		err = rule_parse(&rule, attr, info->extack);
		if (!err)
			err = rule_apply(set, &rule, attr, info->extack);
		if (err)
			return err;
	}
	return 0;
}

static int settings_change(struct ftun_net *fn, struct genl_info *info)
{
	unsigned int rules = count_rules(info);
	struct ftun_settings *new;
	int err;

	lockdep_assert_held(&fn->settings_lock);
	if (info->attrs[FTUN_A_SETTINGS_RESET])
		new = ftun_settings_defaults(rules);
	else
		new = ftun_settings_copy(locked_settings(fn), rules);
	if (!new)
		return -ENOMEM;
	read_values(new, info->attrs);
	err = check_values(new, info->extack);
	if (!err)
		err = read_rules(new, info);
	if (err)
		kfree(new);
	else if (ftun_settings_replace(fn, new))
		ftun_devices_rehook(fn);
	return err;
}

int ftun_nl_settings_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ftun_net *fn = ftun_net_get(genl_info_net(info));
	int err;

	err = ftun_netlink_check(info->nlhdr, FTUN_A_SETTINGS_RULE,
				 info->extack);
	if (err)
		return err;
	if (!nlmsg_attrlen(info->nlhdr, GENL_HDRLEN)) {
		NL_SET_ERR_MSG(info->extack, "nothing to set");
		return -EINVAL;
	}
	mutex_lock(&fn->settings_lock);
	err = settings_change(fn, info);
	mutex_unlock(&fn->settings_lock);
	return err;
}
