// SPDX-License-Identifier: GPL-2.0
/* Which connections: words of the command line to netlink attributes. */
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include "filter.h"
#include "flowtun.h"
#include "nl.h"

/* As the kernel's policy has it. */
#define REASON_MAX	31

static bool read_proto(const char *text, uint8_t *proto)
{
	if (!strcmp(text, "tcp"))
		*proto = IPPROTO_TCP;
	else if (!strcmp(text, "udp"))
		*proto = IPPROTO_UDP;
	else
		return false;
	return true;
}

/* Address of either family to one of two attributes. */
static bool put_addr(struct nlmsghdr *nlh, const char *text, int v4, int v6)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET, text, &addr) == 1)
		mnl_attr_put(nlh, v4, 4, &addr);
	else if (inet_pton(AF_INET6, text, &addr) == 1)
		mnl_attr_put(nlh, v6, 16, &addr);
	else
		return false;
	return true;
}

static bool put_port(struct nlmsghdr *nlh, const char *text, int type)
{
	uint64_t port;

	if (!read_number(text, 65535, &port))
		return false;
	mnl_attr_put_u16(nlh, type, htons(port));
	return true;
}

static bool filter_proto(struct nlmsghdr *nlh, const char *text)
{
	uint8_t proto;

	if (!read_proto(text, &proto))
		return false;
	mnl_attr_put_u8(nlh, FTUN_A_FILTER_L4PROTO, proto);
	return true;
}

static bool put_prefix(struct nlmsghdr *nlh, const char *text, int v4, int v6,
		       int len)
{
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	uint64_t bits;

	if (!slash)
		return put_addr(nlh, text, v4, v6);
	if (slash - text >= (long)sizeof(addr) ||
	    !read_number(slash + 1, 128, &bits))
		return false;
	memcpy(addr, text, slash - text);
	addr[slash - text] = 0;
	mnl_attr_put_u8(nlh, len, bits);
	return put_addr(nlh, addr, v4, v6);
}

static bool filter_src(struct nlmsghdr *nlh, const char *text)
{
	return put_prefix(nlh, text, FTUN_A_FILTER_SRC4, FTUN_A_FILTER_SRC6,
			  FTUN_A_FILTER_SRC_LEN);
}

static bool filter_dst(struct nlmsghdr *nlh, const char *text)
{
	return put_prefix(nlh, text, FTUN_A_FILTER_DST4, FTUN_A_FILTER_DST6,
			  FTUN_A_FILTER_DST_LEN);
}

static bool filter_sport(struct nlmsghdr *nlh, const char *text)
{
	return put_port(nlh, text, FTUN_A_FILTER_SPORT);
}

static bool filter_dport(struct nlmsghdr *nlh, const char *text)
{
	return put_port(nlh, text, FTUN_A_FILTER_DPORT);
}

static bool filter_state(struct nlmsghdr *nlh, const char *text)
{
	static const char *const names[] = {
		[FTUN_NL_STATE_LEARNING] = "learning",
		[FTUN_NL_STATE_PROVEN] = "proven",
		[FTUN_NL_STATE_ARMED] = "armed",
		[FTUN_NL_STATE_STALE] = "stale",
		[FTUN_NL_STATE_REFUSED] = "refused",
	};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]))
			continue;
		mnl_attr_put_u32(nlh, FTUN_A_FILTER_STATE, i);
		return true;
	}
	return false;
}

static bool filter_reason(struct nlmsghdr *nlh, const char *text)
{
	if (strlen(text) > REASON_MAX)
		return false;
	mnl_attr_put_strz(nlh, FTUN_A_FILTER_REASON, text);
	return true;
}

static bool put_device(struct nlmsghdr *nlh, const char *text, int type)
{
	uint32_t ifindex = if_nametoindex(text);

	if (!ifindex)
		return false;
	mnl_attr_put_u32(nlh, type, ifindex);
	return true;
}

static bool filter_tunnel(struct nlmsghdr *nlh, const char *text)
{
	return put_device(nlh, text, FTUN_A_FILTER_TUNNEL);
}

static bool filter_device(struct nlmsghdr *nlh, const char *text)
{
	return put_device(nlh, text, FTUN_A_FILTER_DEVICE);
}

static bool filter_zone(struct nlmsghdr *nlh, const char *text)
{
	uint64_t zone;

	if (!read_number(text, 65535, &zone))
		return false;
	mnl_attr_put_u16(nlh, FTUN_A_FILTER_ZONE, zone);
	return true;
}

static bool filter_encap(struct nlmsghdr *nlh, const char *text)
{
	bool gre = !strcmp(text, "gre");

	if (!gre && strcmp(text, "ip"))
		return false;
	mnl_attr_put_u32(nlh, FTUN_A_FILTER_ENCAP,
			 gre ? FTUN_NL_ENCAP_GRE : FTUN_NL_ENCAP_IP);
	return true;
}

static bool filter_udp_encap(struct nlmsghdr *nlh, const char *text)
{
	static const char *const names[] = {
		[FTUN_NL_UDP_ENCAP_NONE] = "none",
		[FTUN_NL_UDP_ENCAP_FOU] = "fou",
		[FTUN_NL_UDP_ENCAP_GUE] = "gue",
	};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]))
			continue;
		mnl_attr_put_u32(nlh, FTUN_A_FILTER_UDP_ENCAP, i);
		return true;
	}
	return false;
}

static bool filter_key(struct nlmsghdr *nlh, const char *text)
{
	uint64_t key;

	if (!read_number(text, UINT32_MAX, &key))
		return false;
	mnl_attr_put_u32(nlh, FTUN_A_FILTER_KEY, htonl(key));
	return true;
}

static bool filter_outer_src(struct nlmsghdr *nlh, const char *text)
{
	return put_addr(nlh, text, FTUN_A_FILTER_OUTER_SRC4,
			FTUN_A_FILTER_OUTER_SRC6);
}

static bool filter_outer_dst(struct nlmsghdr *nlh, const char *text)
{
	return put_addr(nlh, text, FTUN_A_FILTER_OUTER_DST4,
			FTUN_A_FILTER_OUTER_DST6);
}

static bool filter_outer_sport(struct nlmsghdr *nlh, const char *text)
{
	return put_port(nlh, text, FTUN_A_FILTER_OUTER_SPORT);
}

static bool filter_outer_dport(struct nlmsghdr *nlh, const char *text)
{
	return put_port(nlh, text, FTUN_A_FILTER_OUTER_DPORT);
}

static const struct {
	const char	*name;
	bool		(*put)(struct nlmsghdr *nlh, const char *text);
} words[] = {
	{ "proto", filter_proto },
	{ "src", filter_src },
	{ "dst", filter_dst },
	{ "sport", filter_sport },
	{ "dport", filter_dport },
	{ "state", filter_state },
	{ "reason", filter_reason },
	{ "tunnel", filter_tunnel },
	{ "device", filter_device },
	{ "zone", filter_zone },
	{ "encap", filter_encap },
	{ "outer-src", filter_outer_src },
	{ "outer-dst", filter_outer_dst },
	{ "key", filter_key },
	{ "udp-encap", filter_udp_encap },
	{ "outer-sport", filter_outer_sport },
	{ "outer-dport", filter_outer_dport },
};

#define WORDS	(sizeof(words) / sizeof(words[0]))

static int put_word(struct nlmsghdr *nlh, const char *name, const char *text)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i].name, name))
			continue;
		if (!text)
			return misuse("%s: what?", name);
		if (!words[i].put(nlh, text))
			return misuse("%s %s: no such thing", name, text);
		return EXIT_OK;
	}
	return misuse("%s is nothing to filter by", name);
}

int filter_put(struct nlmsghdr *nlh, int argc, char **argv)
{
	struct nlattr *nest;
	int code = EXIT_OK;

	if (!argc)
		return EXIT_OK;
	nest = mnl_attr_nest_start(nlh, FTUN_A_FLOW_FILTER);
	for (int i = 0; i < argc && !code; i += 2) {
		if (nlh->nlmsg_len > NL_REQUEST_FULL)
			return misuse("too many words to filter by");
		code = put_word(nlh, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
	}
	mnl_attr_nest_end(nlh, nest);
	return code;
}

bool is_tuple(int argc, char **argv)
{
	uint8_t proto;

	return argc && read_proto(argv[0], &proto);
}

/* ADDR:PORT or [ADDR]:PORT */
static bool put_end(struct nlmsghdr *nlh, const char *text, int v4, int v6,
		    int port)
{
	const char *colon = strrchr(text, ':');
	char addr[INET6_ADDRSTRLEN];
	size_t len;

	if (!colon || !put_port(nlh, colon + 1, port))
		return false;
	len = colon - text;
	if (*text == '[' && len >= 2 && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = 0;
	return put_addr(nlh, addr, v4, v6);
}

int tuple_put(struct nlmsghdr *nlh, int argc, char **argv)
{
	struct nlattr *nest;
	uint64_t zone;
	uint8_t proto;

	if ((argc != 3 && argc != 5) || !read_proto(argv[0], &proto))
		return misuse("a tuple is: tcp|udp SRC:PORT DST:PORT [zone N]");
	nest = mnl_attr_nest_start(nlh, FTUN_A_FLOW_TUPLE);
	mnl_attr_put_u8(nlh, FTUN_A_TUPLE_L4PROTO, proto);
	if (!put_end(nlh, argv[1], FTUN_A_TUPLE_SRC4, FTUN_A_TUPLE_SRC6,
		     FTUN_A_TUPLE_SPORT))
		return misuse("%s is no ADDR:PORT", argv[1]);
	if (!put_end(nlh, argv[2], FTUN_A_TUPLE_DST4, FTUN_A_TUPLE_DST6,
		     FTUN_A_TUPLE_DPORT))
		return misuse("%s is no ADDR:PORT", argv[2]);
	if (argc == 5) {
		if (strcmp(argv[3], "zone") || !read_number(argv[4], 65535, &zone))
			return misuse("%s %s: expected zone N", argv[3], argv[4]);
		mnl_attr_put_u16(nlh, FTUN_A_TUPLE_ZONE, zone);
	}
	mnl_attr_nest_end(nlh, nest);
	return EXIT_OK;
}
