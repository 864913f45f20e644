/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_WITNESS_H
#define _FTUN_WITNESS_H

#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <net/netfilter/nf_conntrack_tuple.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "flow.h"
#include "parse.h"
#include "policy.h"

struct nf_conn;
struct sk_buff;

/**
 * enum ftun_verdict - does a packet's connection use a tunnel, and might it be fast?
 * @FTUN_VERDICT_TUNNEL:   it may
 * @FTUN_VERDICT_MAYBE:    it does not, unless the packet is seen again: what is in FOU
 *                         comes by as a UDP packet to the router first
 * @FTUN_VERDICT_STRANGER: it does not, or it is refused
 */
enum ftun_verdict {
	FTUN_VERDICT_TUNNEL,
	FTUN_VERDICT_MAYBE,
	FTUN_VERDICT_STRANGER,
};

/**
 * struct ftun_witness - what a packet was like before the slow path had it
 * @skb:      the packet; only ever compared, it may be gone
 * @fn:       where it came in; only ever compared
 * @iif:      index of the device it came in on
 * @complete: an ingress hook saw it, and the following is valid
 * @csum_partial: its transport checksum was still to be completed
 * @mark:     its mark
 * @priority: its priority
 * @hash:     the hash that came with it
 * @hashed:   there is one
 * @hash_l4:  one that survives decapsulation
 * @generations: as of then
 * @pkt:      what parsing found out
 * @stranger: it turned out to be of a connection that stays slow
 * @stranger_hash: ftun_stranger_hash() of it, or ftun_stranger_hash_inner()
 * @stranger_tag: ftun_stranger_tag() of that, as of then
 * @len:      how much of @bytes is valid
 * @bytes:    the beginning of the packet
 * @ipsec:    its outer packet had been encrypted
 * @delivered: its outer packet was counted as delivered by the device with this index, if
 *             it is IPv6; else 0
 * @outer_tracked: the outer packet had a conntrack entry, and the rest is valid
 * @outer_dir: its direction
 * @outer_zone: its zone
 * @outer_tuple: tuple of the original direction
 */
struct ftun_witness {
	const struct sk_buff		*skb;
	const struct ftun_net		*fn;
	u32				iif;
	bool				complete;
	bool				csum_partial;
	bool				hashed;
	bool				hash_l4;
	bool				stranger;
	u32				stranger_tag;
	u32				mark;
	u32				priority;
	u32				hash;
	u64				stranger_hash;
	struct ftun_generations		generations;
	struct ftun_packet		pkt;
	u16				len;
	u8				bytes[FTUN_PROOF_BYTES];

	bool				ipsec;
	u32				delivered;
	bool				outer_tracked;
	u8				outer_dir;
	struct nf_conntrack_zone	outer_zone;
	struct nf_conntrack_tuple	outer_tuple;
};

#define FTUN_WITNESS_BITS	6

/**
 * struct ftun_witnesses - those of a CPU
 * @witness: by a hash of the packet's address
 *
 * Used by its own CPU only, with BH off.
 */
struct ftun_witnesses {
	struct ftun_witness	witness[1 << FTUN_WITNESS_BITS];
};

extern struct ftun_witnesses __percpu *ftun_witnesses;

int ftun_witness_init(void);
void ftun_witness_exit(void);
void ftun_witness_take(struct ftun_net *fn, const struct sk_buff *skb,
		       const struct ftun_packet *pkt);
void ftun_witness_local_in(struct ftun_net *fn, const struct sk_buff *skb,
			   u32 iif);
bool ftun_witness_saw(const struct ftun_witness *witness,
		      const struct nf_conn *ct, u8 index);
void ftun_witness_sentence(struct ftun_net *fn, struct ftun_witness *witness,
			   const struct sk_buff *skb, enum ftun_verdict verdict);
bool ftun_witness_find(const struct ftun_net *fn, const struct sk_buff *skb,
		       struct ftun_witness *witness);

/* Where a packet is kept if it is. BH off. */
static inline struct ftun_witness *ftun_witness_place(const struct sk_buff *skb)
{
	return &this_cpu_ptr(ftun_witnesses)->witness[hash_ptr(skb, FTUN_WITNESS_BITS)];
}

static inline bool ftun_witness_is_of(const struct ftun_witness *witness,
				      const struct ftun_net *fn,
				      const struct sk_buff *skb)
{
	return witness->skb == skb && witness->fn == fn;
}

/**
 * ftun_witness_judge() - note what has become of a packet
 * @fn:  where
 * @skb: the packet, at the end of its way through the router or on it
 * @verdict: what is known of it
 *
 * Asked of every packet, of which most are strangers already.
 *
 * Context: RCU read side. What came from a device is here with BH off; what the router
 * sends in process context never was at an ingress hook.
 */
static inline void ftun_witness_judge(struct ftun_net *fn, const struct sk_buff *skb,
				      enum ftun_verdict verdict)
{
	struct ftun_witness *witness;

	if (!in_softirq())
		return;
	witness = ftun_witness_place(skb);
	if (!ftun_witness_is_of(witness, fn, skb))
		return;
	/* It has been said, of this packet or of one that was at its address. */
	if (verdict != FTUN_VERDICT_MAYBE || !witness->stranger)
		ftun_witness_sentence(fn, witness, skb, verdict);
}

#endif /* _FTUN_WITNESS_H */
