// SPDX-License-Identifier: GPL-2.0
/*
 * From bytes to a key and offsets. Nothing in a packet is believed before it has
 * been checked to be there, and to say what ip_rcv() and conntrack insist on.
 */
#include "parse.h"

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "rewrite.h"

/* Something before us took hold of the packet: leave it to who did. The socket
 * of a sender on this machine is none of that, ip_rcv_core() lets go of it too.
 */
static bool skb_irregular(struct sk_buff *skb)
{
	return skb_shared(skb) || (skb->sk && skb_sk_is_prefetched(skb)) ||
	       skb_dst(skb) || skb->_nfct || skb_vlan_tag_present(skb) ||
	       skb_sec_path(skb);
}

/* ip_rcv_core()'s tests on the header at @off, and that it has no options and is
 * no fragment. On FTUN_OK its 20 bytes are in the linear part.
 */
static enum ftun_stat parse_ipv4(struct sk_buff *skb, u32 off, u32 room)
{
	const struct iphdr *iph;

	if (room < sizeof(*iph) || !pskb_may_pull(skb, off + sizeof(*iph)))
		return FTUN_STAT_pass_header;
	iph = (const struct iphdr *)(skb->data + off);
	if (iph->version != 4 || iph->ihl < 5)
		return FTUN_STAT_pass_header;
	if (iph->ihl > 5)
		return FTUN_STAT_pass_options;
	if (ip_is_fragment(iph))
		return FTUN_STAT_pass_fragment;
	if (ip_fast_csum((const u8 *)iph, 5))
		return FTUN_STAT_pass_ip_csum;
	if (ntohs(iph->tot_len) > room ||
	    ntohs(iph->tot_len) < sizeof(*iph))
		return FTUN_STAT_pass_header;
	return FTUN_OK;
}

/* udp_error() of conntrack wants UDP's length to be within the packet. */
static enum ftun_stat parse_udp(const struct udphdr *udph, u16 room,
				struct ftun_packet *pkt)
{
	u16 len = ntohs(udph->len);

	if (len < sizeof(*udph) || len > room)
		return FTUN_STAT_pass_header;
	pkt->l4_hlen = sizeof(*udph);
	pkt->tcp_flags = 0;
	return FTUN_OK;
}

/* tcp_error() of conntrack wants all of the header to be within the packet, and
 * its window tracking reads the options.
 */
static enum ftun_stat parse_tcp(struct sk_buff *skb, u32 off, u16 room,
				struct ftun_packet *pkt)
{
	const struct tcphdr *tcph = (const void *)skb->data + off;

	if (tcph->doff * 4 < sizeof(*tcph) || tcph->doff * 4 > room ||
	    !pskb_may_pull(skb, off + tcph->doff * 4))
		return FTUN_STAT_pass_header;
	tcph = (const void *)skb->data + off;
	pkt->l4_hlen = tcph->doff * 4;
	pkt->tcp_flags = tcp_flag_byte(tcph);
	return FTUN_OK;
}

static enum ftun_stat parse_l4(struct sk_buff *skb, u8 proto, u32 off, u16 room,
			       struct ftun_packet *pkt)
{
	u16 hlen = proto == IPPROTO_UDP ? sizeof(struct udphdr)
					: sizeof(struct tcphdr);

	if (room < hlen || !pskb_may_pull(skb, off + hlen))
		return FTUN_STAT_pass_header;
	if (proto == IPPROTO_UDP)
		return parse_udp((void *)skb->data + off, room, pkt);
	return parse_tcp(skb, off, room, pkt);
}

static void fill_tuple(const struct sk_buff *skb, struct ftun_packet *pkt)
{
	const struct iphdr *iph = (void *)skb->data + pkt->inner;
	const __be16 *ports = (const __be16 *)(iph + 1);

	pkt->tuple.pad = 0;
	pkt->tuple.l4proto = iph->protocol;
	pkt->tuple.saddr = iph->saddr;
	pkt->tuple.daddr = iph->daddr;
	pkt->tuple.sport = ports[0];
	pkt->tuple.dport = ports[1];
	pkt->tos = iph->tos;
}

/* The packet inside, or the whole of it, at pkt->inner with @room bytes. */
static enum ftun_stat parse_inner(struct sk_buff *skb, u32 room,
				  struct ftun_packet *pkt)
{
	const struct iphdr *iph;
	enum ftun_stat reason;
	u8 proto;

	reason = parse_ipv4(skb, pkt->inner, room);
	if (reason != FTUN_OK)
		return reason;
	iph = (const struct iphdr *)(skb->data + pkt->inner);
	proto = iph->protocol;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return FTUN_NOT_OURS;
	pkt->inner_len = ntohs(iph->tot_len);
	reason = parse_l4(skb, proto, pkt->inner + sizeof(*iph),
			  pkt->inner_len - sizeof(*iph), pkt);
	if (reason == FTUN_OK)
		fill_tuple(skb, pkt);
	return reason;
}

static enum ftun_stat parse_plain(struct sk_buff *skb, struct ftun_packet *pkt)
{
	enum ftun_stat reason;

	pkt->tuple.encap = FTUN_ENCAP_NONE;
	pkt->tuple.outer_saddr = 0;
	pkt->tuple.outer_daddr = 0;
	pkt->inner = 0;
	pkt->outer_tos = 0;
	reason = parse_inner(skb, skb->len, pkt);
	pkt->outer_len = pkt->inner_len;
	return reason;
}

static enum ftun_stat parse_ipip(struct sk_buff *skb, struct ftun_packet *pkt)
{
	const struct iphdr *iph;
	enum ftun_stat reason;

	reason = parse_ipv4(skb, 0, skb->len);
	if (reason != FTUN_OK)
		return reason;
	iph = (const struct iphdr *)skb->data;
	pkt->tuple.encap = FTUN_ENCAP_IPIP;
	pkt->tuple.outer_saddr = iph->saddr;
	pkt->tuple.outer_daddr = iph->daddr;
	pkt->inner = sizeof(*iph);
	pkt->outer_len = ntohs(iph->tot_len);
	pkt->outer_tos = iph->tos;
	return parse_inner(skb, pkt->outer_len - sizeof(*iph), pkt);
}

/**
 * ftun_parse() - find out what flow a packet could belong to
 * @skb: packet at a netdev ingress hook: data at the network header
 * @iif: index of the device
 * @pkt: filled in on FTUN_OK
 *
 * May make more of the packet linear; changes no byte of it.
 *
 * Context: softirq or process with BH off, RCU read side.
 * Return: FTUN_OK; FTUN_NOT_OURS if it is neither TCP nor UDP, plain or in a
 * known tunnel; or the reason why such a packet is left to the slow path.
 */
enum ftun_stat ftun_parse(struct sk_buff *skb, u32 iif, struct ftun_packet *pkt)
{
	u8 proto;

	if (skb->protocol != htons(ETH_P_IP))
		return FTUN_NOT_OURS;
	if (skb_irregular(skb))
		return FTUN_STAT_pass_irregular;
	if (!pskb_may_pull(skb, sizeof(struct iphdr)))
		return FTUN_STAT_pass_header;
	proto = ((const struct iphdr *)skb->data)->protocol;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP &&
	    proto != IPPROTO_IPIP)
		return FTUN_NOT_OURS;
	if (skb->pkt_type != PACKET_HOST)
		return FTUN_STAT_pass_otherhost;
	pkt->tuple.iif = iif;
	pkt->len = skb->len;
	if (proto == IPPROTO_IPIP)
		return parse_ipip(skb, pkt);
	return parse_plain(skb, pkt);
}

/* The sum over the transport header and its data, as far as the device or we
 * can tell. Bytes after the inner packet spoil CHECKSUM_COMPLETE.
 */
static __wsum l4_sum(const struct sk_buff *skb, u32 off, u32 len)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE && off + len == skb->len)
		return csum_sub(skb->csum, csum_partial(skb->data, off, 0));
	return skb_checksum(skb, off, len, 0);
}

/**
 * ftun_parse_l4_csum_ok() - would conntrack accept the transport checksum?
 * @skb: packet at a netdev ingress hook
 * @pkt: what ftun_parse() made of it
 *
 * Does what nf_ip_checksum() does at PREROUTING, with no regard to the sysctl
 * nf_conntrack_checksum, but leaves the packet alone.
 */
bool ftun_parse_l4_csum_ok(const struct sk_buff *skb,
			   const struct ftun_packet *pkt)
{
	u32 off = pkt->inner + sizeof(struct iphdr);
	u32 len = pkt->inner_len - sizeof(struct iphdr);

	if (skb->ip_summed == CHECKSUM_UNNECESSARY ||
	    skb->ip_summed == CHECKSUM_PARTIAL)
		return true;
	if (pkt->tuple.l4proto == IPPROTO_UDP &&
	    !((const struct udphdr *)(skb->data + off))->check)
		return true;
	return !csum_tcpudp_magic(pkt->tuple.saddr, pkt->tuple.daddr, len,
				  pkt->tuple.l4proto, l4_sum(skb, off, len));
}
