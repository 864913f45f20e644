#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Find out by compiling which of the newer kernel interfaces this kernel has.
# Distributions backport them, so a version number would tell nothing.
#
# usage: probe.sh OUTPUT COMPILER FLAG...		(called by Kbuild)
#
# Writes a header with one FTUN_HAVE_* for each that is there. A control that must
# compile and one that must not show that the answers mean something.
set -eu

out=$1
shift
cc="$*"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# compiles HEADER STATEMENT
compiles() {
	printf '#include <%s>\nvoid ftun_probe(void);\nvoid ftun_probe(void) { %s }\n' \
		"$1" "$2" > "$tmp/probe.c"
	# The flags come as the words of one command.
	# shellcheck disable=SC2086
	$cc -Wno-unused-variable -c -o "$tmp/probe.o" "$tmp/probe.c" \
		> "$tmp/log" 2>&1
}

# have NAME HEADER STATEMENT
have() {
	if compiles "$2" "$3"; then
		echo "#define FTUN_HAVE_$1 1"
	fi
}

# need WHAT HEADER STATEMENT
need() {
	compiles "$2" "$3" && return
	cat "$tmp/log" >&2
	echo "nf_flowtable_tun: this kernel cannot be supported: it lacks $1" >&2
	exit 77
}

need "usable headers" linux/netdevice.h 'struct net_device *dev = NULL; (void)dev;'
if compiles linux/netdevice.h 'ftun_no_such_function();'; then
	echo "nf_flowtable_tun: the compiler accepts anything, probes are worthless" >&2
	exit 1
fi
need "netdev ingress hooks (CONFIG_NETFILTER_INGRESS)" linux/netdevice.h \
	'struct net_device dev; (void)dev.nf_hooks_ingress;'
need "connection tracking (CONFIG_NF_CONNTRACK)" net/netfilter/nf_conntrack.h \
	'struct net net; (void)net.ct.sysctl_checksum;'
need "IPv6, which is not a module (CONFIG_IPV6)" net/ipv6.h \
	'extern int ftun[IS_BUILTIN(CONFIG_IPV6) ? 1 : -1]; (void)ftun;'
need "the DSCP mask of routing" net/inet_dscp.h 'int mask = INET_DSCP_MASK; (void)mask;'
need "a test for packet taps" linux/netdevice.h '(void)dev_nit_active(NULL);'

{
	echo "/* Written by probe.sh */"
	have IPSTATS_OUTREQUESTS net/ip.h 'int mib = IPSTATS_MIB_OUTREQUESTS; (void)mib;'
	have IP_TUNNEL_BITMAP net/ip_tunnels.h 'int bit = IP_TUNNEL_SEQ_BIT; (void)bit;'
	have NET_PTYPE_ALL net/net_namespace.h 'struct net net; (void)net.ptype_all;'
	have TCX linux/netdevice.h 'struct net_device dev; (void)dev.tcx_ingress;'
	have DROP_REASON linux/skbuff.h 'kfree_skb_reason(NULL, SKB_DROP_REASON_NOMEM);'
	have HOOK_OP_BPF linux/netfilter.h 'int type = NF_HOOK_OP_BPF; (void)type;'
	have GSO_IPV4_MAX_SIZE linux/netdevice.h 'struct net_device dev; (void)dev.gso_ipv4_max_size;'
	have DSCP_MASKED_MATCH net/ip_fib.h '(void)fib_dscp_masked_match(inet_dsfield_to_dscp(0), NULL);'
	have DST_ALLFRAG net/dst.h '(void)dst_allfrag(NULL);'
	have GENL_INFO_DUMP net/genetlink.h '(void)genl_info_dump(NULL);'
} > "$tmp/config.h"
mv "$tmp/config.h" "$out"
