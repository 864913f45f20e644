/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nf_flowtable_tun

#if !defined(_FTUN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _FTUN_TRACE_H

#include <linux/in6.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <net/netfilter/nf_conntrack.h>

/* For event.c, which has said what an event is.
 *
 * Addresses and ports are those of the packets of the direction that it is about,
 * before NAT; the original one if it is about both.
 */
DECLARE_EVENT_CLASS(ftun_flow,
	TP_PROTO(const struct ftun_event *event),
	TP_ARGS(event),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u8, l4proto)
		__field(u8, dir)
		__field(u16, family)
		__field(u16, sport)
		__field(u16, dport)
		__array(u8, saddr, 16)
		__array(u8, daddr, 16)
		__array(char, reason, 32)
	),
	TP_fast_assign(
		u8 dir = event->index < IP_CT_DIR_MAX ? event->index
						      : IP_CT_DIR_ORIGINAL;
		const struct nf_conntrack_tuple *tuple =
			&event->ct->tuplehash[dir].tuple;

		__entry->id = event->id;
		__entry->l4proto = tuple->dst.protonum;
		__entry->dir = dir;
		__entry->family = tuple->src.l3num;
		__entry->sport = ntohs(tuple->src.u.all);
		__entry->dport = ntohs(tuple->dst.u.all);
		memcpy(__entry->saddr, &tuple->src.u3, 16);
		memcpy(__entry->daddr, &tuple->dst.u3, 16);
		strscpy(__entry->reason,
			event->reason < FTUN_STAT_MAX ?
			ftun_stat_name(event->reason) : "-",
			sizeof(__entry->reason));
	),
	TP_printk("id=%llu family=%u proto=%u dir=%s src=%pI6c dst=%pI6c sport=%u dport=%u reason=%s",
		  __entry->id, __entry->family, __entry->l4proto,
		  __entry->dir ? "reply" : "original", __entry->saddr,
		  __entry->daddr, __entry->sport, __entry->dport,
		  __entry->reason)
);

#define FTUN_TRACE(name)						\
	DEFINE_EVENT(ftun_flow, name,					\
		TP_PROTO(const struct ftun_event *event),		\
		TP_ARGS(event))

FTUN_TRACE(ftun_learn);
FTUN_TRACE(ftun_prove);
FTUN_TRACE(ftun_arm);
FTUN_TRACE(ftun_refuse);
FTUN_TRACE(ftun_stale);
FTUN_TRACE(ftun_end);

#undef FTUN_TRACE

#endif /* _FTUN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
