// SPDX-License-Identifier: GPL-2.0
/*
 * Conntrack's TCP window tracking, carried on for packets that conntrack does not
 * see. Only for the plain case of an acknowledgment or data within the window of
 * an established connection; whatever is less plain is left to conntrack, which
 * finds its state as it would have left it and so comes to its usual verdict.
 */
#include "window.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_timeout.h>
#include <net/tcp.h>

#include "hot.h"

/* enum tcp_bit_set, private to nf_conntrack_proto_tcp.c */
#define TCP_ACK_SET	3
/* Likewise MAXACKWINCONST and MAXACKWINDOW() */
#define ACK_WINDOW_MIN	66000

/**
 * struct segment - what a TCP header says, in host order
 * @seq:     first sequence number
 * @end:     the one after the last
 * @ack:     acknowledgment
 * @sack:    the highest number acknowledged, selectively or not
 * @win_raw: window as it is in the header
 */
struct segment {
	u32	seq;
	u32	end;
	u32	ack;
	u32	sack;
	u16	win_raw;
};

static u32 be32_at(const u8 *bytes)
{
	__be32 value;

	memcpy(&value, bytes, sizeof(value));
	return ntohl(value);
}

static u32 sack_max(const u8 *block, int len, u32 sack)
{
	for (; len >= TCPOLEN_SACK_PERBLOCK; len -= TCPOLEN_SACK_PERBLOCK) {
		u32 right = be32_at(block + 4);

		if (after(right, sack))
			sack = right;
		block += TCPOLEN_SACK_PERBLOCK;
	}
	return sack;
}

static bool only_timestamps(const u8 *opt, int len)
{
	return len == TCPOLEN_TSTAMP_ALIGNED &&
	       be32_at(opt) == ((TCPOPT_NOP << 24) | (TCPOPT_NOP << 16) |
				(TCPOPT_TIMESTAMP << 8) | TCPOLEN_TIMESTAMP);
}

/* tcp_sack() of conntrack */
static u32 parse_sack(const struct tcphdr *tcph, u32 sack)
{
	int len = tcph->doff * 4 - sizeof(*tcph);
	const u8 *opt = (const u8 *)(tcph + 1);

	if (!len || only_timestamps(opt, len))
		return sack;
	while (len > 0 && *opt != TCPOPT_EOL) {
		if (*opt == TCPOPT_NOP) {
			opt++;
			len--;
			continue;
		}
		if (len < 2 || opt[1] < 2 || opt[1] > len)
			return sack;
		if (*opt == TCPOPT_SACK &&
		    opt[1] >= TCPOLEN_SACK_BASE + TCPOLEN_SACK_PERBLOCK &&
		    !((opt[1] - TCPOLEN_SACK_BASE) % TCPOLEN_SACK_PERBLOCK))
			return sack_max(opt + 2, opt[1] - TCPOLEN_SACK_BASE,
					sack);
		len -= opt[1];
		opt += opt[1];
	}
	return sack;
}

/* The accepting half of tcp_in_window(). */
static bool in_window(const struct ip_ct_tcp_state *sender,
		      const struct ip_ct_tcp_state *receiver,
		      const struct segment *seg)
{
	u32 ack_window = max_t(u32, sender->td_maxwin, ACK_WINDOW_MIN);

	return sender->td_maxwin && receiver->td_maxwin &&
	       before(seg->seq, sender->td_maxend + 1) &&
	       before(seg->sack, receiver->td_end + 1) &&
	       after(seg->end, sender->td_end - receiver->td_maxwin - 1) &&
	       after(seg->sack, receiver->td_end - ack_window - 1);
}

static void update_sender(struct ip_ct_tcp_state *sender,
			  const struct segment *seg, u32 win)
{
	u32 swin = win + (seg->sack - seg->ack);

	if (sender->td_maxwin < swin)
		sender->td_maxwin = swin;
	if (after(seg->end, sender->td_end)) {
		sender->td_end = seg->end;
		sender->flags |= IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED;
	}
	if (!(sender->flags & IP_CT_TCP_FLAG_MAXACK_SET) ||
	    after(seg->ack, sender->td_maxack)) {
		sender->td_maxack = seg->ack;
		sender->flags |= IP_CT_TCP_FLAG_MAXACK_SET;
	}
}

static void update_receiver(struct ip_ct_tcp_state *receiver,
			    const struct ip_ct_tcp_state *sender,
			    const struct segment *seg, u32 win)
{
	if (after(seg->end, sender->td_maxend))
		receiver->td_maxwin += seg->end - sender->td_maxend;
	if (after(seg->sack + win, receiver->td_maxend - 1)) {
		receiver->td_maxend = seg->sack + win;
		if (!win)
			receiver->td_maxend++;
	}
	if (seg->ack == receiver->td_end)
		receiver->flags &= ~IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED;
}

static void update_last(struct ip_ct_tcp *tcp, u8 dir,
			const struct segment *seg)
{
	bool again = tcp->last_dir == dir && tcp->last_seq == seg->seq &&
		     tcp->last_ack == seg->ack && tcp->last_end == seg->end &&
		     tcp->last_win == seg->win_raw;

	tcp->retrans = again ? tcp->retrans + 1 : 0;
	tcp->last_dir = dir;
	tcp->last_seq = seg->seq;
	tcp->last_ack = seg->ack;
	tcp->last_end = seg->end;
	tcp->last_win = seg->win_raw;
	tcp->last_index = TCP_ACK_SET;
}

static bool track(struct ip_ct_tcp *tcp, u8 dir, const struct tcphdr *tcph,
		  struct segment *seg)
{
	struct ip_ct_tcp_state *sender = &tcp->seen[dir];
	struct ip_ct_tcp_state *receiver = &tcp->seen[!dir];
	u32 win = seg->win_raw << sender->td_scale;

	if (tcp->state != TCP_CONNTRACK_ESTABLISHED)
		return false;
	if (receiver->flags & IP_CT_TCP_FLAG_SACK_PERM)
		seg->sack = parse_sack(tcph, seg->sack);
	if (!in_window(sender, receiver, seg))
		return false;
	update_sender(sender, seg, win);
	update_receiver(receiver, sender, seg, win);
	update_last(tcp, dir, seg);
	return true;
}

/**
 * ftun_window_track() - take note of a TCP packet as conntrack would
 * @ct:   TCP conntrack entry without sequence adjustment
 * @dir:  direction of the packet
 * @tcph: its header, with ACK, without SYN, FIN and RST; options readable
 * @len:  bytes of data
 *
 * Does what nf_conntrack_tcp_packet() and tcp_in_window() do with such a packet of
 * an established connection if it is within the window.
 *
 * Context: BH off. Takes ct->lock.
 * Return: true if it was noted; false if nothing was, and conntrack has to see it.
 */
__ftun_hot bool ftun_window_track(struct nf_conn *ct, u8 dir, const struct tcphdr *tcph,
				  u32 len)
{
	struct segment seg = {
		.seq		= ntohl(tcph->seq),
		.end		= ntohl(tcph->seq) + len,
		.ack		= ntohl(tcph->ack_seq),
		.sack		= ntohl(tcph->ack_seq),
		.win_raw	= ntohs(tcph->window),
	};
	bool ok;

	spin_lock(&ct->lock);
	ok = track(&ct->proto.tcp, dir, tcph, &seg);
	spin_unlock(&ct->lock);
	return ok;
}

/* The first that applies, and is less, as nf_conntrack_tcp_packet() has it. */
static u32 timeout_for(const unsigned int *timeouts, u8 max_retrans,
		       const struct ip_ct_tcp *tcp)
{
	u8 flags = tcp->seen[0].flags | tcp->seen[1].flags;
	u32 timeout = READ_ONCE(timeouts[tcp->state]);
	u32 retrans = READ_ONCE(timeouts[TCP_CONNTRACK_RETRANS]);
	u32 unack = READ_ONCE(timeouts[TCP_CONNTRACK_UNACK]);

	if (tcp->retrans >= max_retrans && retrans < timeout)
		return retrans;
	if (flags & IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED && unack < timeout)
		return unack;
	if (!tcp->last_win && retrans < timeout)
		return retrans;
	return timeout;
}

/**
 * ftun_window_timeout() - how long conntrack lets a connection live from here
 * @ct: TCP conntrack entry
 *
 * Does what the end of nf_conntrack_tcp_packet() does.
 *
 * Context: BH off, RCU read side. Takes ct->lock.
 * Return: jiffies
 */
u32 ftun_window_timeout(struct nf_conn *ct)
{
	const struct nf_tcp_net *tn = nf_tcp_pernet(nf_ct_net(ct));
	const unsigned int *timeouts = nf_ct_timeout_lookup(ct);
	u32 timeout;

	spin_lock(&ct->lock);
	timeout = timeout_for(timeouts ?: tn->timeouts,
			      READ_ONCE(tn->tcp_max_retrans), &ct->proto.tcp);
	spin_unlock(&ct->lock);
	return timeout;
}
