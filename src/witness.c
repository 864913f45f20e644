// SPDX-License-Identifier: GPL-2.0
/*
 * Each CPU remembers what the last packets that it gave to the slow path looked
 * like. When one of them turns up at the end of POSTROUTING, learn.c can tell
 * what was done to it. A packet can rest in a tunnel's GRO cell on the way, with
 * up to a NAPI budget of others, so there are that many places.
 */
#include "witness.h"

#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack.h>

#define WITNESSES	64

struct witness_ring {
	unsigned int		next;
	struct ftun_witness	witness[WITNESSES];
};

/* Used by its own CPU only, with BH off. */
static struct witness_ring __percpu *witness_rings __read_mostly;

static struct ftun_witness *ring_find(const struct ftun_net *fn,
				      const struct sk_buff *skb)
{
	struct witness_ring *ring = this_cpu_ptr(witness_rings);
	int i;

	for (i = 1; i <= WITNESSES; i++) {
		struct ftun_witness *witness;

		witness = &ring->witness[(ring->next - i) % WITNESSES];
		if (witness->skb == skb && witness->fn == fn)
			return witness;
	}
	return NULL;
}

static struct ftun_witness *ring_next(struct ftun_net *fn,
				      const struct sk_buff *skb, u32 iif)
{
	struct witness_ring *ring = this_cpu_ptr(witness_rings);
	struct ftun_witness *witness;

	witness = &ring->witness[ring->next++ % WITNESSES];
	witness->skb = skb;
	witness->fn = fn;
	witness->iif = iif;
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
	struct ftun_witness *witness = ring_next(fn, skb, pkt->tuple.iif);

	witness->complete = true;
	witness->csum_partial = skb->ip_summed == CHECKSUM_PARTIAL &&
				skb_checksum_start_offset(skb) >= pkt->inner;
	witness->hash = skb->hash;
	witness->hash_l4 = skb->l4_hash;
	witness->hashed = skb->l4_hash || skb->sw_hash;
	witness->generations = ftun_policy_generations(fn);
	witness->pkt = *pkt;
	witness->len = min_t(u32, pkt->outer_len, FTUN_PROOF_BYTES);
	if (skb_copy_bits(skb, 0, witness->bytes, witness->len))
		witness->complete = false;
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
	struct ftun_witness *witness = ring_find(fn, skb);
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;

	if (!witness) {
		witness = ring_next(fn, skb, iif);
		witness->complete = false;
	}
	ct = nf_ct_get(skb, &ctinfo);
	witness->outer_tracked = ct && !nf_ct_is_template(ct);
	if (!witness->outer_tracked)
		return;
	witness->outer_dir = CTINFO2DIR(ctinfo);
	witness->outer_zone = nf_ct_zone(ct)->id;
	witness->outer_tuple = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
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
	struct ftun_witness *found = ring_find(fn, skb);

	if (!found)
		return false;
	*witness = *found;
	found->skb = NULL;
	return true;
}

int ftun_witness_init(void)
{
	witness_rings = alloc_percpu(struct witness_ring);
	return witness_rings ? 0 : -ENOMEM;
}

/* After the last hook has gone. */
void ftun_witness_exit(void)
{
	free_percpu(witness_rings);
}
