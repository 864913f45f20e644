/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_STATS_H
#define _FTUN_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

struct seq_file;

/*
 * Every counter with its meaning, in the order in which it is shown. A packet of
 * the fast path counts once under fast_*. A packet that the ingress hook gives
 * back to the stack counts once under pass_*. A direction of a connection that
 * is not going to be accelerated counts once under refuse_*; so does each packet of
 * a connection for which there is no flow.
 */
#define FTUN_STATS(X)							\
	X(fast_encap,	"packets sent into a tunnel by the fast path")	\
	X(fast_decap,	"packets taken out of a tunnel by the fast path") \
	X(fast_transit,	"packets moved from tunnel to tunnel by the fast path") \
	X(fast_plain,	"packets that use no tunnel forwarded by the fast path") \
	X(miss,		"TCP or UDP packets that belong to no proven flow") \
	X(pass_irregular, "buffer shared, or with a socket, route, conntrack entry or VLAN tag attached") \
	X(pass_otherhost, "frame not addressed to this host")		\
	X(pass_header,	"IP or transport header malformed or truncated") \
	X(pass_fragment, "IP fragment")					\
	X(pass_options,	"IP options or extension headers")		\
	X(pass_encap,	"GRE or GUE header with fields that are not handled, or a local sender's tunnel in the packet")	\
	X(pass_ip_csum,	"wrong IP header checksum")			\
	X(pass_l4_csum,	"wrong TCP or UDP checksum")			\
	X(pass_udp_csum, "wrong checksum of the UDP header outside (FOU, GUE)") \
	X(pass_gre_csum, "wrong GRE checksum")				\
	X(pass_gre_seq,	"GRE sequence number out of order")		\
	X(pass_ttl,	"time to live too small to be forwarded")	\
	X(pass_tcp_flags, "TCP SYN, FIN, RST or no ACK")			\
	X(pass_dscp,	"DSCP differs from the packet that proved the flow") \
	X(pass_label,	"IPv6 flow label other than when the flow was proven") \
	X(pass_ecn,	"outer and inner ECN do not fit (RFC 6040)")	\
	X(pass_forwarding, "IPv6 forwarding is switched off, or on for a device only") \
	X(pass_mtu,	"packet larger than a device or path MTU")	\
	X(pass_gso,	"aggregated packet of a kind that is not handled") \
	X(pass_window,	"TCP packet outside the window, or connection closing") \
	X(pass_dying,	"conntrack entry deleted, expired or given a fixed timeout")			\
	X(pass_assured,	"conntrack is due to mark the UDP stream assured") \
	X(pass_redirect, "an ICMP redirect may be due")			\
	X(pass_stale,	"rules, devices, routes or a conntrack mark changed: prove the flow again") \
	X(pass_neigh,	"neighbour entry is gone, or in a multipoint tunnel has another address") \
	X(pass_tunnel_neigh, "neighbour in a multipoint tunnel is not connected") \
	X(pass_watched,	"tap, qdisc, filter, netdev chain or XDP on the tunnel device") \
	X(pass_tunnel_error, "tunnel has recent ICMP errors to report")	\
	X(pass_nomem,	"out of memory")				\
	X(wait_unseen,	"packet not seen by an ingress hook, its device gets one") \
	X(wait_merged,	"packet merged, split or queued on the slow path, next one is tried") \
	X(wait_neigh,	"neighbour not resolved yet")			\
	X(wait_change,	"route or conntrack entry of the packet is about to go, or not quite there") \
	X(wait_unselected, "packets of connections that the settings do not select") \
	X(wait_unassured, "packets of connections that conntrack does not call assured yet") \
	X(wait_packets,	"packets that learn-after leaves to the slow path") \
	X(wait_tuple,	"an ended connection still holds the same addresses") \
	X(refuse_helper, "connection is of IPVS, or has a conntrack helper, sequence adjustment or fixed timeout") \
	X(refuse_proto,	"packets neither TCP nor UDP on their way through a tunnel") \
	X(refuse_owned,	"connection belongs to another flow offload")	\
	X(refuse_route,	"route is not plain unicast")		\
	X(refuse_ipsec,	"an IPsec policy applies")			\
	X(refuse_hairpin, "packet leaves by the device it came in on, which may take an ICMP redirect")	\
	X(refuse_vrf,	"a device belongs to a VRF")			\
	X(refuse_shared, "ipvlan, macvlan in source mode or MACsec on the device that packets come in by") \
	X(refuse_tunnel, "tunnel kind or mode not supported")		\
	X(refuse_metadata, "header of an external tunnel is not the route's choice") \
	X(refuse_nbma,	"GRE to a multicast group, or GRE over IPv6 into no remote end") \
	X(refuse_netns,	"tunnel works in another network namespace")	\
	X(refuse_denied, "a rule denies a tunnel or device on the way, or allows others") \
	X(refuse_mismatch, "fast path would have sent other bytes")	\
	X(refuse_limit,	"flow limit reached")				\
	X(refuse_nomem,	"out of memory")				\
	X(flow_learned,	"connections watched")				\
	X(flow_proven,	"proofs that succeeded")			\
	X(flow_armed,	"directions put on the fast path") \
	X(flow_ended_closed, "connections handed back: TCP closed")	\
	X(flow_ended_idle, "connections handed back: idle")		\
	X(flow_ended_dying, "connections ended: conntrack entry deleted") \
	X(flow_ended_deleted, "connections handed back: deleted by a user") \
	X(flow_ended_disarmed, "connections handed back: module or namespace disarmed")

#define FTUN_STAT_ENUM(name, text) FTUN_STAT_##name,
enum ftun_stat {
	FTUN_STATS(FTUN_STAT_ENUM)
	FTUN_STAT_MAX,
	/* A function that returns an enum ftun_stat as its reason says "go on" so. */
	FTUN_OK = FTUN_STAT_MAX,
	/* Neither a flow nor anything that could become one. */
	FTUN_NOT_OURS,
};

#undef FTUN_STAT_ENUM

struct ftun_stats {
	u64	count[FTUN_STAT_MAX];
};

/* BH off: nothing else counts on this CPU meanwhile. */
static inline void ftun_stat_inc(struct ftun_stats __percpu *stats,
				 enum ftun_stat stat)
{
	__this_cpu_inc(stats->count[stat]);
}

const char *ftun_stat_name(enum ftun_stat stat);
const char *ftun_stat_text(enum ftun_stat stat);
u64 ftun_stat_sum(const struct ftun_stats __percpu *stats, enum ftun_stat stat);
void ftun_stats_show(struct seq_file *seq,
		     const struct ftun_stats __percpu *stats);

#endif /* _FTUN_STATS_H */
