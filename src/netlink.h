/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_NETLINK_H
#define _FTUN_NETLINK_H

#include <linux/in6.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/netfilter/nf_conntrack_tuple.h>
#include <uapi/linux/nf_flowtable_tun.h>

#include "stats.h"

struct ftun_dir;
struct ftun_flow;
struct ftun_net;
struct ftun_path;
struct nf_conn;

/**
 * struct ftun_outer_id - what tells one tunnel header from another
 * @encap:   enum ftun_nl_encap
 * @udp:     enum ftun_nl_udp_encap
 * @v6:      it is IPv6
 * @has_key: there is a GRE key
 * @key:     which
 * @src:     source address
 * @dst:     destination address
 * @sport:   source port of the UDP header around it
 * @dport:   destination port likewise
 */
struct ftun_outer_id {
	u32			encap;
	u32			udp;
	bool			v6;
	bool			has_key;
	__be32			key;
	union nf_inet_addr	src;
	union nf_inet_addr	dst;
	__be16			sport;
	__be16			dport;
};

/**
 * struct ftun_filter - what a connection must be like to be meant
 * @given:   bit for each FTUN_A_FILTER_* that matters
 * @family:  of @src or @dst; 0 if neither is given
 * @l4proto: transport protocol
 * @src_len: bits of @src that count
 * @dst_len: bits of @dst that count
 * @sport:   source port
 * @dport:   destination port
 * @src:     source of the direction's packets, before NAT
 * @dst:     destination likewise
 * @state:   enum ftun_state
 * @reason:  enum ftun_stat
 * @tunnel:  index of a tunnel device
 * @device:  index of a device
 * @zone:    conntrack zone
 * @outer:   tunnel header, as far as @given says
 */
struct ftun_filter {
	unsigned long		given;
	u8			family;
	u8			l4proto;
	u8			src_len;
	u8			dst_len;
	__be16			sport;
	__be16			dport;
	union nf_inet_addr	src;
	union nf_inet_addr	dst;
	u32			state;
	u32			reason;
	u32			tunnel;
	u32			device;
	u16			zone;
	struct ftun_outer_id	outer;
};

extern struct genl_family ftun_netlink_family;

int ftun_netlink_init(void);
void ftun_netlink_exit(void);
void ftun_netlink_event_init(void);
void ftun_netlink_event_exit(void);

int ftun_netlink_check(const struct nlmsghdr *nlh, int multi,
		       struct netlink_ext_ack *extack);
int ftun_netlink_check_nest(const struct nlattr *nest,
			    struct netlink_ext_ack *extack);
int ftun_netlink_check_dump(struct netlink_callback *cb);
int ftun_netlink_reply(struct sk_buff *msg, struct genl_info *info, void *hdr);
struct sk_buff *ftun_netlink_answer(struct genl_info *info, size_t size,
				    void **hdr);
void *ftun_netlink_begin(struct sk_buff *msg, struct netlink_callback *cb,
			 u8 cmd);

int ftun_netlink_put_names(struct sk_buff *msg, u64 id, const struct nf_conn *ct);
int ftun_netlink_put_addrs(struct sk_buff *msg, int src4, bool v6,
			   const void *src, const void *dst);
int ftun_netlink_put_decap(struct sk_buff *msg, const struct ftun_dir *dir);
int ftun_netlink_put_encap(struct sk_buff *msg, const struct ftun_dir *dir);
bool ftun_outer_of_decap(struct ftun_outer_id *outer,
			 const struct ftun_path *path);
bool ftun_outer_of_encap(struct ftun_outer_id *outer,
			 const struct ftun_path *path);

int ftun_filter_parse(struct ftun_filter *filter, const struct nlattr *nest,
		      struct netlink_ext_ack *extack);
bool ftun_filter_fits(const struct ftun_filter *filter,
		      const struct ftun_flow *flow);
int ftun_filter_tuple(struct nf_conntrack_tuple *tuple, u16 *zone,
		      const struct nlattr *nest,
		      struct netlink_ext_ack *extack);
int ftun_filter_reason(u32 *reason, const struct nlattr *attr,
		       struct netlink_ext_ack *extack);

#endif /* _FTUN_NETLINK_H */
