// SPDX-License-Identifier: GPL-2.0
/*
 * What can be set for each network namespace. Only one word of it is read for each
 * packet; the rest is asked where connections are learned.
 */
#include "settings.h"

#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_labels.h>
#include <uapi/linux/nf_flowtable_tun.h>

#include "path.h"
#include "policy.h"

/* RCU read side, or with @fn->settings_lock. */
static const struct ftun_settings *settings(const struct ftun_net *fn)
{
	return rcu_dereference_check(fn->settings,
				     lockdep_is_held(&fn->settings_lock));
}

/**
 * ftun_settings_defaults() - settings that nobody has changed yet
 * @rules: room for that many
 *
 * Return: what the caller owns, without rules; NULL without memory.
 */
struct ftun_settings *ftun_settings_defaults(unsigned int rules)
{
	struct ftun_settings *new;

	new = kzalloc(struct_size(new, rules, rules), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->armed = true;
	new->select = FTUN_NL_SELECT_ALL;
	new->select_mask = ~0U;
	new->protocols = FTUN_NL_PROTOCOL_TCP | FTUN_NL_PROTOCOL_UDP;
	return new;
}

/**
 * ftun_settings_copy() - a copy that can be changed
 * @from:  what to copy
 * @rules: room for that many rules more than it has
 *
 * Return: what the caller owns; NULL without memory.
 */
struct ftun_settings *ftun_settings_copy(const struct ftun_settings *from,
					 unsigned int rules)
{
	struct ftun_settings *new;

	new = kzalloc(struct_size(new, rules, from->rule_count + rules),
		      GFP_KERNEL_ACCOUNT);
	if (new)
		memcpy(new, from, struct_size(from, rules, from->rule_count));
	return new;
}

/**
 * ftun_settings_replace() - let other settings hold from now on
 * @fn:  where
 * @new: the settings, no longer the caller's
 *
 * Every flow proves itself again, and so meets them. When this returns new
 * packets do.
 *
 * Context: process, with @fn->settings_lock held.
 * Return: true if the ingress hooks have another place now: ftun_devices_rehook().
 */
bool ftun_settings_replace(struct ftun_net *fn, struct ftun_settings *new)
{
	struct ftun_settings *old;
	bool rehook;

	lockdep_assert_held(&fn->settings_lock);
	new->changed = jiffies;
	old = rcu_replace_pointer(fn->settings, new,
				  lockdep_is_held(&fn->settings_lock));
	rehook = old->hook != new->hook;
	WRITE_ONCE(fn->armed, new->armed);
	WRITE_ONCE(fn->plain, new->plain);
	kfree_rcu(old, rcu);
	ftun_policy_changed(fn);
	return rehook;
}

/* Most connections that may be known. Any context. */
u32 ftun_settings_flow_limit(const struct ftun_net *fn)
{
	u32 limit, most = READ_ONCE(ftun_flow_limit);

	rcu_read_lock();
	limit = settings(fn)->flow_limit;
	rcu_read_unlock();
	return limit ? min(limit, most) : most;
}

/* Jiffies until an idle connection is handed back; 0 if the kernel's sysctls say. */
u32 ftun_settings_idle(const struct ftun_net *fn, u8 l4proto)
{
	u32 seconds;

	rcu_read_lock();
	seconds = l4proto == IPPROTO_TCP ? settings(fn)->tcp_timeout
					 : settings(fn)->udp_timeout;
	rcu_read_unlock();
	return seconds * HZ;
}

/* Of the ingress hook. */
int ftun_settings_hook_priority(const struct ftun_net *fn)
{
	u8 hook;

	rcu_read_lock();
	hook = settings(fn)->hook;
	rcu_read_unlock();
	return hook == FTUN_NL_HOOK_BEFORE ? INT_MIN : INT_MAX;
}

static bool has_label(const struct nf_conn *ct, u32 bit)
{
	const struct nf_conn_labels *labels = nf_ct_labels_find(ct);

	return labels && bit < sizeof(labels->bits) * BITS_PER_BYTE &&
	       test_bit(bit, labels->bits);
}

static bool selected(const struct ftun_settings *set, const struct nf_conn *ct,
		     const u32 *mark)
{
	switch (set->select) {
	case FTUN_NL_SELECT_CT_MARK:
		return (ftun_ct_mark(ct) & set->select_mask) == set->select_value;
	case FTUN_NL_SELECT_MARK:
		return !mark ||
		       (*mark & set->select_mask) == set->select_value;
	case FTUN_NL_SELECT_CT_LABEL:
		return has_label(ct, set->select_value);
	default:
		return true;
	}
}

static bool has_protocol(const struct ftun_settings *set, u8 l4proto)
{
	return set->protocols & (l4proto == IPPROTO_TCP ? FTUN_NL_PROTOCOL_TCP
							: FTUN_NL_PROTOCOL_UDP);
}

/**
 * ftun_settings_select() - is a connection one of those to be learned?
 * @fn:   where
 * @ct:   its conntrack entry
 * @mark: mark of its packet, or NULL if that is not known and shall not matter
 *
 * Context: RCU read side.
 * Return: FTUN_OK, or why not now: all of this can change.
 */
enum ftun_stat ftun_settings_select(const struct ftun_net *fn,
				    const struct nf_conn *ct, const u32 *mark)
{
	const struct ftun_settings *set = settings(fn);

	if (!has_protocol(set, nf_ct_protonum(ct)) || !selected(set, ct, mark))
		return FTUN_STAT_wait_unselected;
	if (set->assured && !test_bit(IPS_ASSURED_BIT, &ct->status))
		return FTUN_STAT_wait_unassured;
	return FTUN_OK;
}

/**
 * ftun_settings_seen_enough() - may a direction be learned from this packet?
 * @fn:   where
 * @seen: how many packets before this one; updated
 *
 * Context: RCU read side, the flow locked.
 */
bool ftun_settings_seen_enough(const struct ftun_net *fn, u16 *seen)
{
	if (*seen >= settings(fn)->learn_after)
		return true;
	++*seen;
	return false;
}

/* Do other settings hold than at @since? They may be months old, and must not look as if they
 * were to come. RCU read side.
 */
bool ftun_settings_changed_since(const struct ftun_net *fn, u32 since)
{
	u32 now = jiffies;

	return now - settings(fn)->changed <= now - since;
}

static bool rules_allow(const struct ftun_settings *set, u8 kind,
			const char *name)
{
	bool allowed = true;
	int i;

	for (i = 0; i < set->rule_count; i++) {
		const struct ftun_rule *rule = &set->rules[i];

		if (rule->kind != kind)
			continue;
		if (!strcmp(rule->name, name))
			return rule->verdict == FTUN_NL_VERDICT_ALLOW;
		if (rule->verdict == FTUN_NL_VERDICT_ALLOW)
			allowed = false;
	}
	return allowed;
}

/**
 * ftun_settings_allowed() - do the rules allow a tunnel or device?
 * @fn:   where
 * @kind: enum ftun_nl_rule_kind
 * @dev:  the device; NULL is allowed
 *
 * Context: RCU read side.
 */
bool ftun_settings_allowed(const struct ftun_net *fn, u8 kind,
			   const struct net_device *dev)
{
	return !dev || rules_allow(settings(fn), kind, dev->name);
}

/**
 * ftun_settings_admit() - do the rules allow all devices of a path?
 * @fn:   where
 * @path: complete, but not in the table yet
 *
 * Context: RCU read side.
 * Return: FTUN_OK or the reason why not.
 */
enum ftun_stat ftun_settings_admit(const struct ftun_net *fn,
				   const struct ftun_path *path)
{
	const struct dst_entry *wire = ftun_path_wire_route(path)->dst;

	if (!settings(fn)->rule_count)
		return FTUN_OK;
	if (!ftun_settings_allowed(fn, FTUN_NL_RULE_TUNNEL, path->way->tun_in) ||
	    !ftun_settings_allowed(fn, FTUN_NL_RULE_TUNNEL, path->way->tun_out) ||
	    !ftun_settings_allowed(fn, FTUN_NL_RULE_DEVICE,
				   dev_get_by_index_rcu(fn->net,
							path->way->iif)) ||
	    !ftun_settings_allowed(fn, FTUN_NL_RULE_DEVICE, wire->dev))
		return FTUN_STAT_refuse_denied;
	return FTUN_OK;
}

int ftun_settings_net_init(struct ftun_net *fn)
{
	struct ftun_settings *new = ftun_settings_defaults(0);

	if (!new)
		return -ENOMEM;
	mutex_init(&fn->settings_lock);
	RCU_INIT_POINTER(fn->settings, new);
	fn->armed = new->armed;
	return 0;
}

/* Nobody asks any more. */
void ftun_settings_net_exit(struct ftun_net *fn)
{
	kfree(rcu_dereference_protected(fn->settings, true));
	mutex_destroy(&fn->settings_lock);
}
