// SPDX-License-Identifier: GPL-2.0
/*
 * Connections over netlink: how one is described, found, listed and deleted. This,
 * netlink_outer.c and proc.c are all that looks into a path to show it.
 */
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/sock.h>

#include "compat/genetlink.h"
#include "flow.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "settings.h"

/* Room for the longest description of a connection, two failed proofs included. */
#define FLOW_SIZE	2048

/* Milliseconds since @then, in jiffies; as many as fit. */
static u32 msecs_since(u32 then)
{
	u64 ago = (u32)((u32)jiffies - then);

	return min_t(u64, div_u64(ago * MSEC_PER_SEC, HZ), U32_MAX);
}

static int put_tuple(struct sk_buff *msg, int type,
		     const struct nf_conntrack_tuple *tuple)
{
	struct nlattr *nest = nla_nest_start(msg, type);

	if (!nest ||
	    nla_put_u8(msg, FTUN_A_TUPLE_L4PROTO, tuple->dst.protonum) ||
	    ftun_netlink_put_addrs(msg, FTUN_A_TUPLE_SRC4,
				   tuple->src.l3num == AF_INET6,
				   &tuple->src.u3, &tuple->dst.u3) ||
	    nla_put_be16(msg, FTUN_A_TUPLE_SPORT, tuple->src.u.all) ||
	    nla_put_be16(msg, FTUN_A_TUPLE_DPORT, tuple->dst.u.all))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* After NAT the packets have the other direction's addresses, turned round. */
static int put_nat(struct sk_buff *msg, const struct ftun_flow *flow, u8 index)
{
	const struct nf_conntrack_tuple *other =
		&flow->ct->tuplehash[!index].tuple;
	struct nf_conntrack_tuple tuple;

	if (!(flow->dir[index].path->what & FTUN_PATH_NAT))
		return 0;
	tuple = *other;
	tuple.src.u3 = other->dst.u3;
	tuple.dst.u3 = other->src.u3;
	tuple.src.u.all = other->dst.u.all;
	tuple.dst.u.all = other->src.u.all;
	return put_tuple(msg, FTUN_A_DIR_NAT, &tuple);
}

/* The last packet that was left to the slow path, and why. */
static int put_passed(struct sk_buff *msg, const struct ftun_path *path)
{
	u8 reason = READ_ONCE(path->passed);

	if (reason == FTUN_OK)
		return 0;
	return nla_put_string(msg, FTUN_A_DIR_PASSED, ftun_stat_name(reason)) ||
	       nla_put_u32(msg, FTUN_A_DIR_PASSED_AGO,
			   msecs_since(READ_ONCE(path->passed_at))) ?
	       -EMSGSIZE : 0;
}

static int put_path(struct sk_buff *msg, const struct ftun_flow *flow, u8 index)
{
	const struct ftun_dir *dir = &flow->dir[index];
	const struct ftun_path *path = dir->path;

	if (nla_put_u32(msg, FTUN_A_DIR_WIRE_IN, path->way->iif) ||
	    nla_put_u32(msg, FTUN_A_DIR_WIRE_OUT, ftun_path_oif(path)) ||
	    ftun_netlink_put_decap(msg, dir) || put_nat(msg, flow, index) ||
	    ftun_netlink_put_encap(msg, dir) ||
	    nla_put_u32(msg, FTUN_A_DIR_MTU, path->way->mtu) ||
	    nla_put_u64_64bit(msg, FTUN_A_DIR_PACKETS,
			      READ_ONCE(path->packets), FTUN_A_DIR_PAD) ||
	    nla_put_u64_64bit(msg, FTUN_A_DIR_BYTES, READ_ONCE(path->bytes),
			      FTUN_A_DIR_PAD) ||
	    nla_put_u32(msg, FTUN_A_DIR_IDLE,
			msecs_since(READ_ONCE(path->used))))
		return -EMSGSIZE;
	return put_passed(msg, path);
}

static int put_mismatch(struct sk_buff *msg,
			const struct ftun_mismatch *mismatch)
{
	struct nlattr *nest = nla_nest_start(msg, FTUN_A_DIR_MISMATCH);

	if (!nest ||
	    nla_put(msg, FTUN_A_MISMATCH_SLOW, mismatch->len, mismatch->slow) ||
	    nla_put(msg, FTUN_A_MISMATCH_FAST, mismatch->len, mismatch->fast))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_state(struct sk_buff *msg, const struct ftun_dir *dir)
{
	BUILD_BUG_ON((int)FTUN_DEAD != (int)FTUN_NL_STATE_DEAD);
	if (nla_put_u32(msg, FTUN_A_DIR_STATE, dir->state) ||
	    nla_put_u32(msg, FTUN_A_DIR_SINCE, msecs_since(dir->since)) ||
	    nla_put_u32(msg, FTUN_A_DIR_IN, dir->in) ||
	    nla_put_u32(msg, FTUN_A_DIR_OUT, dir->out))
		return -EMSGSIZE;
	if (dir->reason == FTUN_OK)
		return 0;
	return nla_put_string(msg, FTUN_A_DIR_REASON,
			      ftun_stat_name(dir->reason));
}

static int put_dir(struct sk_buff *msg, const struct ftun_flow *flow, u8 index)
{
	const struct ftun_mismatch *mismatch = ftun_flow_mismatch(flow, index);
	const struct ftun_dir *dir = &flow->dir[index];
	struct nlattr *nest;

	lockdep_assert_held(&flow->lock);
	nest = nla_nest_start(msg, index ? FTUN_A_FLOW_REPLY
					 : FTUN_A_FLOW_ORIGINAL);
	if (!nest || put_state(msg, dir) ||
	    put_tuple(msg, FTUN_A_DIR_TUPLE,
		      &flow->ct->tuplehash[index].tuple) ||
	    (dir->path && put_path(msg, flow, index)) ||
	    (mismatch && put_mismatch(msg, mismatch)))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_names(struct sk_buff *msg, u64 id, const struct nf_conn *ct)
{
	u16 zone = nf_ct_zone(ct)->id;

	if (nla_put_u64_64bit(msg, FTUN_A_FLOW_ID, id, FTUN_A_FLOW_PAD) ||
	    nla_put_u32(msg, FTUN_A_FLOW_CT_MARK, ftun_ct_mark(ct)))
		return -EMSGSIZE;
	return zone ? nla_put_u16(msg, FTUN_A_FLOW_ZONE, zone) : 0;
}

static int put_bare_dir(struct sk_buff *msg, const struct nf_conn *ct, u8 index)
{
	struct nlattr *nest;

	nest = nla_nest_start(msg, index ? FTUN_A_FLOW_REPLY
					 : FTUN_A_FLOW_ORIGINAL);
	if (!nest || put_tuple(msg, FTUN_A_DIR_TUPLE,
			       &ct->tuplehash[index].tuple))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/**
 * ftun_netlink_put_names() - say which connection it is, and no more
 * @msg: message
 * @id:  the connection's number
 * @ct:  its conntrack entry
 */
int ftun_netlink_put_names(struct sk_buff *msg, u64 id, const struct nf_conn *ct)
{
	return put_names(msg, id, ct) ||
	       put_bare_dir(msg, ct, IP_CT_DIR_ORIGINAL) ||
	       put_bare_dir(msg, ct, IP_CT_DIR_REPLY) ? -EMSGSIZE : 0;
}

static int put_flow(struct sk_buff *msg, const struct ftun_flow *flow)
{
	return put_names(msg, flow->id, flow->ct) ||
	       put_dir(msg, flow, IP_CT_DIR_ORIGINAL) ||
	       put_dir(msg, flow, IP_CT_DIR_REPLY) ? -EMSGSIZE : 0;
}

static bool flow_dead(const struct ftun_flow *flow)
{
	return flow->dir[IP_CT_DIR_ORIGINAL].state == FTUN_DEAD;
}

static int answer_flow(struct sk_buff *msg, struct ftun_flow *flow)
{
	int err = -ENOENT;

	spin_lock_bh(&flow->lock);
	if (!flow_dead(flow))
		err = put_flow(msg, flow);
	spin_unlock_bh(&flow->lock);
	return err;
}

/* A zone may hold for one direction only: the other's tuple is in zone 0 then. */
static struct nf_conn *find_ct(struct ftun_net *fn,
			       const struct nf_conntrack_tuple *tuple, u16 id)
{
	static const u8 dirs[] = { NF_CT_DEFAULT_ZONE_DIR, NF_CT_ZONE_DIR_ORIG,
				   NF_CT_ZONE_DIR_REPL };
	struct nf_conntrack_tuple_hash *hash;
	struct nf_conntrack_zone zone;
	struct nf_conn *ct;
	int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		nf_ct_zone_init(&zone, id, dirs[i], 0);
		hash = nf_conntrack_find_get(fn->net, &zone, tuple);
		if (!hash)
			continue;
		ct = nf_ct_tuplehash_to_ctrack(hash);
		if (nf_ct_zone(ct)->id == id)
			return ct;
		nf_ct_put(ct);
	}
	return NULL;
}

/* What would the next packet of a connection that is not known count under? */
static enum ftun_stat why_unknown(struct ftun_net *fn, struct nf_conn *ct)
{
	enum ftun_stat reason;

	if (!ftun_settings_armed(fn))
		return FTUN_STAT_flow_ended_disarmed;
	reason = ftun_settings_select(fn, ct, NULL);
	if (reason != FTUN_OK)
		return reason;
	if (test_bit(IPS_OFFLOAD_BIT, &ct->status))
		return FTUN_STAT_refuse_owned;
	if (atomic_read(&fn->flows.nelems) >= ftun_settings_flow_limit(fn))
		return FTUN_STAT_refuse_limit;
	return FTUN_OK;
}

static int answer_unknown(struct sk_buff *msg, struct ftun_net *fn,
			  struct nf_conn *ct)
{
	enum ftun_stat reason = why_unknown(fn, ct);

	if (nla_put_flag(msg, FTUN_A_FLOW_TRACKED))
		return -EMSGSIZE;
	if (reason == FTUN_OK)
		return 0;
	return nla_put_string(msg, FTUN_A_FLOW_REASON, ftun_stat_name(reason));
}

static int answer_tuple(struct sk_buff *msg, struct ftun_net *fn,
			struct genl_info *info)
{
	struct nf_conntrack_tuple tuple;
	struct ftun_flow *flow;
	struct nf_conn *ct;
	u16 zone;
	int err;

	err = ftun_filter_tuple(&tuple, &zone, info->attrs[FTUN_A_FLOW_TUPLE],
				info->extack);
	if (err)
		return err;
	ct = find_ct(fn, &tuple, zone);
	if (!ct) {
		NL_SET_ERR_MSG(info->extack,
			       "conntrack knows no such connection");
		return -ENOENT;
	}
	rcu_read_lock();
	flow = ftun_flow_find(fn, ct);
	err = flow ? answer_flow(msg, flow) : -ENOENT;
	if (err == -ENOENT)
		err = answer_unknown(msg, fn, ct);
	rcu_read_unlock();
	nf_ct_put(ct);
	return err;
}

static int answer_id(struct sk_buff *msg, struct ftun_net *fn,
		     struct genl_info *info)
{
	struct nlattr *attr = info->attrs[FTUN_A_FLOW_ID];
	struct ftun_flow *flow;
	int err = -ENOENT;

	rcu_read_lock();
	flow = ftun_flow_by_id(fn, nla_get_u64(attr));
	if (flow)
		err = answer_flow(msg, flow);
	rcu_read_unlock();
	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "no connection has this id");
	return err;
}

static int want_one_of(struct genl_info *info, int count)
{
	if (count == 1)
		return 0;
	if (count)
		NL_SET_ERR_MSG(info->extack,
			       "more than one way to say which connection");
	else
		NL_SET_ERR_MSG(info->extack,
			       "which connection? an id or a tuple is missing");
	return -EINVAL;
}

static int flow_get_check(struct genl_info *info)
{
	int err = ftun_netlink_check(info->nlhdr, 0, info->extack);

	if (err)
		return err;
	if (info->attrs[FTUN_A_FLOW_FILTER]) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[FTUN_A_FLOW_FILTER],
				    "filters are for dumps");
		return -EINVAL;
	}
	return want_one_of(info, !!info->attrs[FTUN_A_FLOW_ID] +
				 !!info->attrs[FTUN_A_FLOW_TUPLE]);
}

int ftun_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ftun_net *fn = ftun_net_get(genl_info_net(info));
	int err = flow_get_check(info);
	struct sk_buff *msg;
	void *hdr;

	if (err)
		return err;
	msg = ftun_netlink_answer(info, FLOW_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	if (info->attrs[FTUN_A_FLOW_ID])
		err = answer_id(msg, fn, info);
	else
		err = answer_tuple(msg, fn, info);
	if (!err)
		return ftun_netlink_reply(msg, info, hdr);
	nlmsg_free(msg);
	return err;
}

/* Return: 0 if it is in @skb or does not fit the filter. */
static int dump_flow(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct ftun_filter *filter, struct ftun_flow *flow)
{
	void *hdr;
	int err = 0;

	spin_lock_bh(&flow->lock);
	if (flow_dead(flow) || !ftun_filter_fits(filter, flow))
		goto unlock;
	hdr = ftun_netlink_begin(skb, cb, FTUN_CMD_FLOW_GET);
	err = hdr ? put_flow(skb, flow) : -EMSGSIZE;
	if (!err)
		genlmsg_end(skb, hdr);
	else if (hdr)
		genlmsg_cancel(skb, hdr);
unlock:
	spin_unlock_bh(&flow->lock);
	return err;
}

/* cb->args[0] is the last id done, and cb->args[1] the last that there was in the
 * beginning: with those that come meanwhile it might never end.
 */
static void dump_flows(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct ftun_filter *filter, struct ftun_net *fn)
{
	unsigned long id = cb->args[0];
	struct ftun_flow *flow;
	unsigned int visits = 0;

	if (!cb->args[1])
		cb->args[1] = READ_ONCE(fn->last_id);
	rcu_read_lock();
	while ((flow = ftun_flow_next(fn, &id, cb->args[1], &visits))) {
		if (dump_flow(skb, cb, filter, flow))
			break;
		cb->args[0] = id;
	}
	rcu_read_unlock();
}

int ftun_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ftun_net *fn = ftun_net_get(sock_net(skb->sk));
	struct nlattr **attrs = genl_dump_attrs(cb);
	struct ftun_filter filter;
	int err;

	err = ftun_netlink_check(cb->nlh, 0, cb->extack);
	if (err)
		return err;
	if (attrs[FTUN_A_FLOW_ID] || attrs[FTUN_A_FLOW_TUPLE]) {
		NL_SET_ERR_MSG(cb->extack, "a dump takes a filter only");
		return -EINVAL;
	}
	err = ftun_filter_parse(&filter, attrs[FTUN_A_FLOW_FILTER], cb->extack);
	if (err)
		return err;
	dump_flows(skb, cb, &filter, fn);
	return skb->len;
}

/* Return: whether it was not marked before. */
static bool mark_deleted(struct ftun_flow *flow,
			 const struct ftun_filter *filter)
{
	bool marked = false;

	spin_lock_bh(&flow->lock);
	if (!flow_dead(flow) && ftun_filter_fits(filter, flow)) {
		marked = !flow->deleted;
		flow->deleted = true;
	}
	spin_unlock_bh(&flow->lock);
	return marked;
}

static u32 delete_fitting(struct ftun_net *fn, const struct ftun_filter *filter)
{
	struct ftun_flow *flow;
	unsigned int visits = 0;
	unsigned long id = 0;
	u32 count = 0;

	rcu_read_lock();
	while ((flow = ftun_flow_next(fn, &id, ULONG_MAX, &visits)))
		count += mark_deleted(flow, filter);
	rcu_read_unlock();
	return count;
}

static int delete_filtered(struct ftun_net *fn, struct genl_info *info,
			   u32 *count)
{
	struct ftun_filter filter;
	int err;

	err = ftun_filter_parse(&filter, info->attrs[FTUN_A_FLOW_FILTER],
				info->extack);
	if (err)
		return err;
	if (info->attrs[FTUN_A_FLOW_FILTER] && !filter.given) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[FTUN_A_FLOW_FILTER],
				    "an empty filter: say all if all are meant");
		return -EINVAL;
	}
	*count = delete_fitting(fn, &filter);
	return 0;
}

/* RCU read side. */
static struct ftun_flow *find_tuple(struct ftun_net *fn,
				    const struct nf_conntrack_tuple *tuple,
				    u16 zone)
{
	struct nf_conn *ct = find_ct(fn, tuple, zone);
	struct ftun_flow *flow;

	if (!ct)
		return NULL;
	flow = ftun_flow_find(fn, ct);
	nf_ct_put(ct);
	return flow;
}

static int delete_one(struct ftun_net *fn, struct genl_info *info, u32 *count)
{
	static const struct ftun_filter any;
	struct nf_conntrack_tuple tuple;
	struct ftun_flow *flow;
	u16 zone;
	int err;

	if (info->attrs[FTUN_A_FLOW_TUPLE]) {
		err = ftun_filter_tuple(&tuple, &zone,
					info->attrs[FTUN_A_FLOW_TUPLE],
					info->extack);
		if (err)
			return err;
	}
	rcu_read_lock();
	if (info->attrs[FTUN_A_FLOW_TUPLE])
		flow = find_tuple(fn, &tuple, zone);
	else
		flow = ftun_flow_by_id(fn,
				       nla_get_u64(info->attrs[FTUN_A_FLOW_ID]));
	*count = flow && mark_deleted(flow, &any);
	rcu_read_unlock();
	if (*count)
		return 0;
	NL_SET_ERR_MSG(info->extack, "no such connection");
	return -ENOENT;
}

static int flow_del_check(struct genl_info *info)
{
	int err = ftun_netlink_check(info->nlhdr, 0, info->extack);

	if (err)
		return err;
	return want_one_of(info, !!info->attrs[FTUN_A_FLOW_ID] +
				 !!info->attrs[FTUN_A_FLOW_TUPLE] +
				 !!info->attrs[FTUN_A_FLOW_FILTER] +
				 !!info->attrs[FTUN_A_FLOW_ALL]);
}

int ftun_nl_flow_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ftun_net *fn = ftun_net_get(genl_info_net(info));
	int err = flow_del_check(info);
	struct sk_buff *msg;
	u32 count = 0;
	void *hdr;

	if (err)
		return err;
	msg = ftun_netlink_answer(info, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	if (info->attrs[FTUN_A_FLOW_ID] || info->attrs[FTUN_A_FLOW_TUPLE])
		err = delete_one(fn, info, &count);
	else
		err = delete_filtered(fn, info, &count);
	if (!err && count)
		ftun_flow_gc_wait(fn);
	if (!err)
		err = nla_put_u32(msg, FTUN_A_FLOW_COUNT, count);
	if (!err)
		return ftun_netlink_reply(msg, info, hdr);
	nlmsg_free(msg);
	return err;
}
