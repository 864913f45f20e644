// SPDX-License-Identifier: GPL-2.0
/*
 * For how long a packet keeps a conntrack entry alive. Conntrack asks its sysctls, or the
 * policy of the entry, for each packet. Nobody is told when a sysctl changes: a packet that
 * came between two looks at it was under what it said before or under what it says now. Of
 * the two it gets the longer one, since nothing may end that the slow path lets live.
 */
#include "timeout.h"

#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_timeout.h>

#include "window.h"

/* Was it more than two seconds old when the packet came? If another packet has found that
 * out, the entry is assured and has been given the longer time.
 */
static bool udp_is_stream(const struct nf_conn *ct, u32 used)
{
	unsigned long now = jiffies;
	s32 ago = (u32)now - used;
	unsigned long status = READ_ONCE(ct->status);

	return status & IPS_SEEN_REPLY &&
	       (status & IPS_ASSURED ||
		time_after(now - ago, ct->proto.udp.stream_ts));
}

/* nf_conntrack_udp_packet() */
static u32 udp_timeout(const struct ftun_limits *limits, const struct nf_conn *ct, u32 used)
{
	unsigned int which = udp_is_stream(ct, used) ? UDP_CT_REPLIED : UDP_CT_UNREPLIED;
	const unsigned int *policy = nf_ct_timeout_lookup(ct);

	if (policy)
		return READ_ONCE(policy[which]);
	return max(limits->udp[which],
		   READ_ONCE(nf_udp_pernet(nf_ct_net(ct))->timeouts[which]));
}

/* nf_conntrack_gre_packet(): an entry keeps those that it began with. */
static u32 gre_timeout(const struct nf_conn *ct)
{
	return READ_ONCE(ct->status) & IPS_SEEN_REPLY ?
	       READ_ONCE(ct->proto.gre.stream_timeout) :
	       READ_ONCE(ct->proto.gre.timeout);
}

/* generic_packet() */
static u32 generic_timeout(const struct ftun_limits *limits, const struct nf_conn *ct)
{
	const unsigned int *policy = nf_ct_timeout_lookup(ct);

	if (policy)
		return READ_ONCE(*policy);
	return max(limits->generic,
		   READ_ONCE(nf_generic_pernet(nf_ct_net(ct))->timeout));
}

/**
 * ftun_timeout() - how long does conntrack let an entry live from its last packet on?
 * @limits: what the sysctls of its namespace said at the last look
 * @ct:     confirmed conntrack entry
 * @used:   jiffies of that packet, which came after that look
 *
 * Context: BH off, RCU read side. Takes ct->lock.
 * Return: jiffies
 */
u32 ftun_timeout(const struct ftun_limits *limits, struct nf_conn *ct, u32 used)
{
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_TCP:
		return ftun_window_timeout(ct);
	case IPPROTO_UDP:
		return udp_timeout(limits, ct, used);
	case IPPROTO_GRE:
		if (IS_ENABLED(CONFIG_NF_CT_PROTO_GRE))
			return gre_timeout(ct);
		fallthrough;
	default:
		return generic_timeout(limits, ct);
	}
}

/* What do the sysctls say now? */
void ftun_timeout_limits(struct net *net, struct ftun_limits *limits)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(limits->udp) != UDP_CT_MAX);
	for (i = 0; i < UDP_CT_MAX; i++)
		limits->udp[i] = READ_ONCE(nf_udp_pernet(net)->timeouts[i]);
	limits->generic = READ_ONCE(nf_generic_pernet(net)->timeout);
}
