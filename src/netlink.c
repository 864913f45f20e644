// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family, and what all its messages have in common. */
#include "netlink.h"

#include <linux/module.h>

#include "netlink_gen.h"

static const struct genl_multicast_group netlink_groups[] = {
	[NF_FLOWTUN_NLGRP_EVENTS] = {
		.name	= "events",
		.flags	= GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family ftun_netlink_family __ro_after_init = {
	.name		= FTUN_GENL_NAME,
	.version	= FTUN_GENL_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= nf_flowtun_nl_ops,
	.n_ops		= ARRAY_SIZE(nf_flowtun_nl_ops),
	.mcgrps		= netlink_groups,
	.n_mcgrps	= ARRAY_SIZE(netlink_groups),
};

/* Each attribute once, but for @multi. */
static int check_once(const struct nlattr *head, int len, int multi,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	u64 seen = 0;
	int rem;

	nla_for_each_attr(attr, head, len, rem) {
		int type = nla_type(attr);

		if (type >= BITS_PER_TYPE(seen) || type == multi)
			continue;
		if (seen & BIT_ULL(type)) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "attribute given twice");
			return -EINVAL;
		}
		seen |= BIT_ULL(type);
	}
	return 0;
}

/**
 * ftun_netlink_check() - is each attribute of a request there but once?
 * @nlh:    the request
 * @multi:  attribute that may be there more often, or 0
 * @extack: told which one is not
 */
int ftun_netlink_check(const struct nlmsghdr *nlh, int multi,
		       struct netlink_ext_ack *extack)
{
	return check_once(nlmsg_attrdata(nlh, GENL_HDRLEN),
			  nlmsg_attrlen(nlh, GENL_HDRLEN), multi, extack);
}

/* Likewise for the attributes in @nest. */
int ftun_netlink_check_nest(const struct nlattr *nest,
			    struct netlink_ext_ack *extack)
{
	return check_once(nla_data(nest), nla_len(nest), 0, extack);
}

/* Begin an answer with room for @size bytes of attributes. */
struct sk_buff *ftun_netlink_answer(struct genl_info *info, size_t size,
				    void **hdr)
{
	struct sk_buff *msg = genlmsg_new(size, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			   &ftun_netlink_family, 0, info->genlhdr->cmd);
	if (*hdr)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* End and send it. */
int ftun_netlink_reply(struct sk_buff *msg, struct genl_info *info, void *hdr)
{
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* Begin a message of a dump; NULL if there is no room. */
void *ftun_netlink_begin(struct sk_buff *msg, struct netlink_callback *cb,
			 u8 cmd)
{
	return genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &ftun_netlink_family, NLM_F_MULTI, cmd);
}

/* A dump has what there is; nothing can be asked for in particular. */
int ftun_netlink_check_dump(struct netlink_callback *cb)
{
	if (!nlmsg_attrlen(cb->nlh, GENL_HDRLEN))
		return 0;
	NL_SET_ERR_MSG(cb->extack, "a dump of these takes no attributes");
	return -EINVAL;
}

int ftun_netlink_init(void)
{
	return genl_register_family(&ftun_netlink_family);
}

void ftun_netlink_exit(void)
{
	genl_unregister_family(&ftun_netlink_family);
}

MODULE_ALIAS_GENL_FAMILY(FTUN_GENL_NAME);
