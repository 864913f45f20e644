// SPDX-License-Identifier: GPL-2.0
/*
 * Each CPU remembers what the last packets that it gave to the slow path looked
 * like. When one of them turns up at the end of POSTROUTING, learn.c can tell
 * what was done to it. A packet can rest in a tunnel's GRO cell on the way, with
 * up to a NAPI budget of others. Where the packet is kept follows from its address,
 * so that one that was not seen is not looked for everywhere; a packet that takes
 * another's place only means that the next one is learned from.
 */
#include "witness.h"

#include <linux/skbuff.h>
#include <net/ip6_fib.h>
#include <net/netfilter/nf_conntrack.h>

#include "stranger.h"

struct ftun_witnesses __percpu *ftun_witnesses __read_mostly;

static struct ftun_witness *witness_find(const struct ftun_net *fn,
					 const struct sk_buff *skb)
{
	struct ftun_witness *witness = ftun_witness_place(skb);

	return ftun_witness_is_of(witness, fn, skb) ? witness : NULL;
}

/* Nothing else is to be heard of its packet. */
static void witness_believe(struct ftun_net *fn,
			    const struct ftun_witness *witness)
{
	if (!witness->stranger)
		return;
	ftun_stranger_add(fn, witness->stranger_hash, witness->stranger_tag);
	if (witness->pkt.inner)
		this_cpu_write(ftun_strangers_follow, true);
}

static u64 stranger_hash(const struct ftun_net *fn, const struct sk_buff *skb,
			 const struct ftun_packet *pkt, bool v6)
{
	u32 where = ftun_stranger_where(fn, pkt->tuple.iif);

	/* What else comes in that UDP may be for others. */
	if (pkt->udp)
		return 0;
	return pkt->inner ? ftun_stranger_hash_inner(skb, where, v6)
			  : ftun_stranger_hash(skb, where, v6);
}

static struct ftun_witness *witness_new(struct ftun_net *fn,
					const struct sk_buff *skb, u32 iif)
{
	struct ftun_witness *witness = ftun_witness_place(skb);

	if (witness->skb && witness->fn == fn)
		witness_believe(fn, witness);
	witness->skb = skb;
	witness->stranger = false;
	witness->fn = fn;
	witness->iif = iif;
	witness->ipsec = false;
	witness->delivered = 0;
	witness->outer_tracked = false;
	return witness;
}

/**
 * ftun_witness_take() - remember a packet that goes to the slow path
 * @fn:  where
 * @skb: the packet, at a netdev ingress hook
 * @pkt: what ftun_parse() made of it
 *
 * Context: BH off.
 */
void ftun_witness_take(struct ftun_net *fn, const struct sk_buff *skb,
		       const struct ftun_packet *pkt)
{
	struct ftun_witness *witness = witness_new(fn, skb, pkt->tuple.iif);
	bool v6 = skb->protocol == htons(ETH_P_IPV6);

	witness->complete = true;
	witness->csum_partial = skb->ip_summed == CHECKSUM_PARTIAL &&
				skb_checksum_start_offset(skb) >= pkt->inner;
	witness->mark = skb->mark;
	witness->priority = skb->priority;
	witness->hash = skb->hash;
	witness->hash_l4 = skb->l4_hash;
	witness->hashed = skb->l4_hash || skb->sw_hash;
	witness->generations = ftun_policy_generations(fn);
	witness->stranger_hash = stranger_hash(fn, skb, pkt, v6);
	witness->stranger_tag = ftun_stranger_tag(fn, witness->stranger_hash, v6);
	witness->pkt = *pkt;
	witness->len = min_t(u32, pkt->outer_len, FTUN_PROOF_BYTES);
	if (skb_copy_bits(skb, 0, witness->bytes, witness->len))
		witness->complete = false;
}

/* ip6_protocol_deliver_rcu() */
static u32 delivered_by(const struct sk_buff *skb)
{
	const struct inet6_dev *idev;

	if (skb->protocol != htons(ETH_P_IPV6))
		return 0;
	idev = ip6_dst_idev(skb_dst(skb));
	return idev ? idev->dev->ifindex : 0;
}

/**
 * ftun_witness_local_in() - note what conntrack makes of an outer packet
 * @fn:  where
 * @skb: tunnelled packet, at the end of INPUT
 * @iif: index of the device it came in on
 *
 * Only values are kept, since nobody owns a witness who could drop a reference.
 *
 * Context: BH off.
 */
void ftun_witness_local_in(struct ftun_net *fn, const struct sk_buff *skb,
			   u32 iif)
{
	struct ftun_witness *witness = witness_find(fn, skb);
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;

	if (!witness || witness->iif != iif) {
		witness = witness_new(fn, skb, iif);
		witness->complete = false;
	}
	witness->ipsec = skb_sec_path(skb);
	witness->delivered = delivered_by(skb);
	ct = nf_ct_get(skb, &ctinfo);
	witness->outer_tracked = ct && !nf_ct_is_template(ct);
	if (!witness->outer_tracked)
		return;
	witness->outer_dir = CTINFO2DIR(ctinfo);
	witness->outer_zone = *nf_ct_zone(ct);
	witness->outer_tuple = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
}

static bool addr_is(const __be32 *addr, const union nf_inet_addr *ct, bool v6)
{
	return !memcmp(addr, ct, v6 ? sizeof(ct->in6) : sizeof(ct->in));
}

/**
 * ftun_witness_saw() - was it a packet of this connection and direction?
 * @witness: complete
 * @ct:      the connection
 * @index:   its direction
 */
bool ftun_witness_saw(const struct ftun_witness *witness,
		      const struct nf_conn *ct, u8 index)
{
	const struct nf_conntrack_tuple *of = &ct->tuplehash[index].tuple;
	const struct ftun_tuple *tuple = &witness->pkt.tuple;
	bool v6 = ftun_tuple_inner6(tuple);

	return of->src.l3num == (v6 ? AF_INET6 : AF_INET) &&
	       addr_is(ftun_tuple_saddr(tuple), &of->src.u3, v6) &&
	       addr_is(ftun_tuple_daddr(tuple), &of->dst.u3, v6) &&
	       tuple->sport == of->src.u.all &&
	       tuple->dport == of->dst.u.all &&
	       tuple->l4proto == of->dst.protonum;
}

static bool saw(const struct ftun_witness *witness, const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return witness->complete && witness->stranger_hash &&
	       ct && !nf_ct_is_template(ct) &&
	       ftun_witness_saw(witness, ct, CTINFO2DIR(ctinfo));
}

/**
 * ftun_witness_sentence() - what ftun_witness_judge() says of a packet that is kept
 * @fn:      where
 * @witness: the packet's
 * @skb:     the packet
 * @verdict: what is known of it
 *
 * What is not certain counts when the next packet takes the witness's place.
 */
void ftun_witness_sentence(struct ftun_net *fn, struct ftun_witness *witness,
			   const struct sk_buff *skb, enum ftun_verdict verdict)
{
	witness->stranger = verdict != FTUN_VERDICT_TUNNEL &&
			    saw(witness, skb);
	if (verdict != FTUN_VERDICT_STRANGER)
		return;
	witness_believe(fn, witness);
	witness->skb = NULL;
}

/**
 * ftun_witness_find() - what was this packet like when it came in?
 * @fn:      where
 * @skb:     packet on the slow path
 * @witness: filled in, and forgotten by the CPU, on success
 *
 * An answer may be about another packet that was at the same address: compare.
 *
 * Context: BH off.
 */
bool ftun_witness_find(const struct ftun_net *fn, const struct sk_buff *skb,
		       struct ftun_witness *witness)
{
	struct ftun_witness *found = witness_find(fn, skb);

	if (!found)
		return false;
	*witness = *found;
	found->skb = NULL;
	return true;
}

int ftun_witness_init(void)
{
	ftun_witnesses = alloc_percpu(struct ftun_witnesses);
	return ftun_witnesses ? 0 : -ENOMEM;
}

/* After the last hook has gone. */
void ftun_witness_exit(void)
{
	free_percpu(ftun_witnesses);
}
