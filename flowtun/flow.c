// SPDX-License-Identifier: GPL-2.0
/* Connections: reading and showing what the module says about one. */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <net/if.h>

#include "flowtun.h"
#include "json.h"

static const char *const state_names[] = {
	[FTUN_NL_STATE_LEARNING] = "learning",
	[FTUN_NL_STATE_PROVEN] = "proven",
	[FTUN_NL_STATE_ARMED] = "armed",
	[FTUN_NL_STATE_STALE] = "stale",
	[FTUN_NL_STATE_REFUSED] = "refused",
	[FTUN_NL_STATE_DEAD] = "dead",
};

const char *state_name(uint32_t state)
{
	if (state >= sizeof(state_names) / sizeof(state_names[0]))
		return "unknown";
	return state_names[state];
}

bool dir_is_fast(const struct dir *dir)
{
	return dir->state == FTUN_NL_STATE_ARMED &&
	       (!*dir->passed || dir->ago >= dir->idle);
}

static void read_addrs(struct tuple *tuple, const struct nlattr **src4)
{
	const struct nlattr *dst4 = src4[1], *src6 = src4[2], *dst6 = src4[3];

	if (*src4 && dst4) {
		tuple->family = AF_INET;
		memcpy(&tuple->src, mnl_attr_get_payload(*src4), 4);
		memcpy(&tuple->dst, mnl_attr_get_payload(dst4), 4);
	} else if (src6 && dst6) {
		tuple->family = AF_INET6;
		memcpy(&tuple->src, mnl_attr_get_payload(src6), 16);
		memcpy(&tuple->dst, mnl_attr_get_payload(dst6), 16);
	}
}

static uint16_t read_port(const struct nlattr *attr)
{
	return attr ? ntohs(mnl_attr_get_u16(attr)) : 0;
}

static void read_tuple(struct tuple *tuple, const struct nlattr *nest)
{
	const struct nlattr *tb[FTUN_A_TUPLE_MAX + 1];

	if (!nest)
		return;
	nl_parse_nested(nest, tb, FTUN_A_TUPLE_MAX);
	if (tb[FTUN_A_TUPLE_L4PROTO])
		tuple->proto = mnl_attr_get_u8(tb[FTUN_A_TUPLE_L4PROTO]);
	read_addrs(tuple, &tb[FTUN_A_TUPLE_SRC4]);
	tuple->sport = read_port(tb[FTUN_A_TUPLE_SPORT]);
	tuple->dport = read_port(tb[FTUN_A_TUPLE_DPORT]);
}

static void read_outer(struct outer *outer, const struct nlattr *nest)
{
	const struct nlattr *tb[FTUN_A_OUTER_MAX + 1];

	if (!nest)
		return;
	nl_parse_nested(nest, tb, FTUN_A_OUTER_MAX);
	outer->given = true;
	outer->encap = nl_u32(tb[FTUN_A_OUTER_ENCAP]);
	outer->udp = nl_u32(tb[FTUN_A_OUTER_UDP_ENCAP]);
	outer->ifindex = nl_u32(tb[FTUN_A_OUTER_IFINDEX]);
	outer->has_key = tb[FTUN_A_OUTER_KEY];
	outer->key = ntohl(nl_u32(tb[FTUN_A_OUTER_KEY]));
	read_addrs(&outer->tuple, &tb[FTUN_A_OUTER_SRC4]);
	outer->tuple.sport = read_port(tb[FTUN_A_OUTER_SPORT]);
	outer->tuple.dport = read_port(tb[FTUN_A_OUTER_DPORT]);
}

static void read_mismatch(struct dir *dir, const struct nlattr *nest)
{
	const struct nlattr *tb[FTUN_A_MISMATCH_MAX + 1];
	const struct nlattr *slow, *fast;
	unsigned int len;

	nl_parse_nested(nest, tb, FTUN_A_MISMATCH_MAX);
	slow = tb[FTUN_A_MISMATCH_SLOW];
	fast = tb[FTUN_A_MISMATCH_FAST];
	if (!slow || !fast)
		return;
	len = mnl_attr_get_payload_len(slow);
	if (len > MISMATCH_MAX || len != mnl_attr_get_payload_len(fast))
		return;
	dir->slow_len = len;
	memcpy(dir->slow, mnl_attr_get_payload(slow), len);
	memcpy(dir->fast, mnl_attr_get_payload(fast), len);
}

static void read_dir(struct dir *dir, const struct nlattr *nest)
{
	const struct nlattr *tb[FTUN_A_DIR_MAX + 1];

	nl_parse_nested(nest, tb, FTUN_A_DIR_MAX);
	dir->state = nl_u32(tb[FTUN_A_DIR_STATE]);
	snprintf(dir->reason, sizeof(dir->reason), "%s",
		 nl_str(tb[FTUN_A_DIR_REASON]));
	dir->since = nl_u32(tb[FTUN_A_DIR_SINCE]);
	dir->in = nl_u32(tb[FTUN_A_DIR_IN]);
	dir->out = nl_u32(tb[FTUN_A_DIR_OUT]);
	dir->armed = tb[FTUN_A_DIR_PACKETS];
	dir->wire_in = nl_u32(tb[FTUN_A_DIR_WIRE_IN]);
	dir->wire_out = nl_u32(tb[FTUN_A_DIR_WIRE_OUT]);
	dir->mtu = nl_u32(tb[FTUN_A_DIR_MTU]);
	dir->idle = nl_u32(tb[FTUN_A_DIR_IDLE]);
	snprintf(dir->passed, sizeof(dir->passed), "%s",
		 nl_str(tb[FTUN_A_DIR_PASSED]));
	dir->ago = nl_u32(tb[FTUN_A_DIR_PASSED_AGO]);
	dir->packets = nl_u64(tb[FTUN_A_DIR_PACKETS]);
	dir->bytes = nl_u64(tb[FTUN_A_DIR_BYTES]);
	read_tuple(&dir->tuple, tb[FTUN_A_DIR_TUPLE]);
	read_tuple(&dir->nat, tb[FTUN_A_DIR_NAT]);
	read_outer(&dir->decap, tb[FTUN_A_DIR_DECAP]);
	read_outer(&dir->encap, tb[FTUN_A_DIR_ENCAP]);
	read_mismatch(dir, tb[FTUN_A_DIR_MISMATCH]);
}

void flow_read(struct flow *flow, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[FTUN_A_FLOW_MAX + 1];

	memset(flow, 0, sizeof(*flow));
	nl_parse(nlh, tb, FTUN_A_FLOW_MAX);
	flow->id = nl_u64(tb[FTUN_A_FLOW_ID]);
	flow->ct_mark = nl_u32(tb[FTUN_A_FLOW_CT_MARK]);
	if (tb[FTUN_A_FLOW_ZONE])
		flow->zone = mnl_attr_get_u16(tb[FTUN_A_FLOW_ZONE]);
	snprintf(flow->reason, sizeof(flow->reason), "%s",
		 nl_str(tb[FTUN_A_FLOW_REASON]));
	flow->event = nl_u32(tb[FTUN_A_FLOW_EVENT]);
	flow->is_reply = tb[FTUN_A_FLOW_IS_REPLY] ?
			 mnl_attr_get_u8(tb[FTUN_A_FLOW_IS_REPLY]) : -1;
	flow->tracked = tb[FTUN_A_FLOW_TRACKED] || flow->id;
	read_dir(&flow->dir[0], tb[FTUN_A_FLOW_ORIGINAL]);
	read_dir(&flow->dir[1], tb[FTUN_A_FLOW_REPLY]);
}

static const char *addr_text(char *buf, const struct tuple *tuple, bool dst)
{
	if (!tuple->family ||
	    !inet_ntop(tuple->family, dst ? &tuple->dst : &tuple->src, buf,
		       INET6_ADDRSTRLEN))
		snprintf(buf, INET6_ADDRSTRLEN, "?");
	return buf;
}

const char *end_text(char *buf, const struct tuple *tuple, bool dst)
{
	char addr[INET6_ADDRSTRLEN];

	addr_text(addr, tuple, dst);
	snprintf(buf, END_SIZE, tuple->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 addr, dst ? tuple->dport : tuple->sport);
	return buf;
}

static const char *proto_name(const struct tuple *tuple)
{
	return tuple->proto == IPPROTO_TCP ? "tcp" : "udp";
}

static const char *encap_name(const struct outer *outer)
{
	return outer->encap == FTUN_NL_ENCAP_GRE ? "gre" : "ip";
}

static const char *udp_name(const struct outer *outer)
{
	return outer->udp == FTUN_NL_UDP_ENCAP_GUE ? "gue" : "fou";
}

void tuple_json(const char *key, const struct tuple *tuple)
{
	char buf[INET6_ADDRSTRLEN];

	if (!tuple->family)
		return;
	json_open(key, '{');
	json_str("proto", proto_name(tuple));
	json_str("src", addr_text(buf, tuple, false));
	json_str("dst", addr_text(buf, tuple, true));
	json_num("sport", tuple->sport);
	json_num("dport", tuple->dport);
	json_close('}');
}

static void outer_json(const char *key, const struct outer *outer)
{
	char buf[INET6_ADDRSTRLEN], dev[IF_NAMESIZE];

	if (!outer->given)
		return;
	json_open(key, '{');
	json_str("dev", device_name(dev, outer->ifindex));
	json_str("encap", encap_name(outer));
	json_str("src", addr_text(buf, &outer->tuple, false));
	json_str("dst", addr_text(buf, &outer->tuple, true));
	if (outer->has_key)
		json_num("key", outer->key);
	if (outer->udp) {
		json_str("udp_encap", udp_name(outer));
		json_num("sport", outer->tuple.sport);
		json_num("dport", outer->tuple.dport);
	}
	json_close('}');
}

static void device_json(const char *key, uint32_t ifindex)
{
	char buf[IF_NAMESIZE];

	if (ifindex)
		json_str(key, device_name(buf, ifindex));
}

static void path_json(const struct dir *dir)
{
	device_json("wire_in", dir->wire_in);
	device_json("wire_out", dir->wire_out);
	outer_json("decap", &dir->decap);
	tuple_json("nat", &dir->nat);
	outer_json("encap", &dir->encap);
	json_num("mtu", dir->mtu);
	json_num("packets", dir->packets);
	json_num("bytes", dir->bytes);
	json_num("idle_ms", dir->idle);
	if (!*dir->passed)
		return;
	json_str("passed", dir->passed);
	json_num("passed_ago_ms", dir->ago);
}

static void dir_json(const char *key, const struct dir *dir)
{
	json_open(key, '{');
	json_str("state", state_name(dir->state));
	if (*dir->reason)
		json_str("reason", dir->reason);
	json_num("since_ms", dir->since);
	tuple_json("tuple", &dir->tuple);
	device_json("in", dir->in);
	device_json("out", dir->out);
	if (dir->armed)
		path_json(dir);
	if (dir->slow_len) {
		json_open("mismatch", '{');
		json_hex("slow", dir->slow, dir->slow_len);
		json_hex("fast", dir->fast, dir->slow_len);
		json_close('}');
	}
	json_close('}');
}

void flow_json(const struct flow *flow)
{
	json_open(NULL, '{');
	json_num("id", flow->id);
	json_num("ct_mark", flow->ct_mark);
	json_num("zone", flow->zone);
	dir_json("original", &flow->dir[0]);
	dir_json("reply", &flow->dir[1]);
	json_close('}');
}

static void print_outer(const char *what, const struct outer *outer)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], dev[IF_NAMESIZE];

	if (!outer->given)
		return;
	printf(" %s %s %s %s -> %s", what, device_name(dev, outer->ifindex),
	       encap_name(outer), addr_text(src, &outer->tuple, false),
	       addr_text(dst, &outer->tuple, true));
	if (outer->has_key)
		printf(" key %u", outer->key);
	if (outer->udp)
		printf(" %s %u -> %u", udp_name(outer), outer->tuple.sport,
		       outer->tuple.dport);
}

static void print_path(const struct dir *dir)
{
	char src[END_SIZE], dst[END_SIZE], buf[HUMAN_SIZE];

	print_outer("from", &dir->decap);
	if (dir->nat.family)
		printf(" nat %s -> %s", end_text(src, &dir->nat, false),
		       end_text(dst, &dir->nat, true));
	print_outer("into", &dir->encap);
	printf(" packets %s", human(buf, sizeof(buf), dir->packets));
	if (!options.stats)
		return;
	printf(" bytes %s", human(buf, sizeof(buf), dir->bytes));
	printf(" mtu %u idle %s", dir->mtu,
	       human_ms(buf, sizeof(buf), dir->idle));
	if (*dir->passed)
		printf(" passed %s %s ago", dir->passed,
		       human_ms(buf, sizeof(buf), dir->ago));
}

void dir_print(const struct flow *flow, int index)
{
	const struct dir *dir = &flow->dir[index];
	char src[END_SIZE], dst[END_SIZE], in[IF_NAMESIZE], out[IF_NAMESIZE];
	char buf[HUMAN_SIZE];

	printf("  %-8s %s -> %s %s", index ? "reply" : "original",
	       end_text(src, &dir->tuple, false), end_text(dst, &dir->tuple, true),
	       state_name(dir->state));
	if (*dir->reason)
		printf(" %s", dir->reason);
	printf(" for %s", human_ms(buf, sizeof(buf), dir->since));
	if (dir->in && dir->out)
		printf(" %s -> %s", device_name(in, dir->in),
		       device_name(out, dir->out));
	if (dir->armed)
		print_path(dir);
	putchar('\n');
}

