# SPDX-License-Identifier: GPL-2.0
"""The mutants: what is broken, how, and which cases of tests/diff must notice.

A case is named by a regular expression. One that sends several packets after a
change is preferred: what the fast path does with the first is enough to fail.

Many a wrong rewrite is caught by the proof: nothing is armed, and the cases complain
that no packet was fast. What is under "armed" is past the proof and has to be
caught by what comes out.

Not here, because nothing can be seen of them:
- the rule that the outer TOS is inherited: a path is for one DSCP, that of its template;
- the test for a dead neighbour, and the generation that devices change: who kills a
  neighbour entry that a path holds, or changes a device, also makes the routes stale.
"""

MUTANTS = []


def mutant(name, cases, *edits, quick=False):
    """edits: (file below src/, sed -E script). Each must change its file. quick: it
    is one of those that run without --all."""
    MUTANTS.append(dict(name=name, cases=cases, edits=edits, quick=quick))


ENCAP = "^ipip default: encap$"
DECAP = "^ipip default: decap$"

# ---- caught by the proof: the flow is not armed
mutant("ttl not decremented", ENCAP, ("rewrite.h", "s/iph->ttl--;//"), quick=True)
mutant("ttl checksum not updated", ENCAP, ("rewrite.h", r"s/ \+ \(__force u32\)htons\(0x0100\);/;/"))
mutant("outer ttl not inherited", ENCAP + "|^ipip default: encap ttl 255",
       ("rewrite.c", r"s/^\tif \(outer->rules & FTUN_OUTER_TTL_INHERIT\)/\tif (0)/"))
mutant("outer checksum wrong", ENCAP, ("rewrite.c", r"s/0x4500 \| tos/0x4600 | tos/"))
mutant("nat port not written", "^ipip nat snat, other port: udp$", ("rewrite.c", r"s/ports\[0\] = nat->sport;//"), quick=True)
mutant("nat address missing in checksum", "^ipip nat snat, other address: udp$",
       ("rewrite.c", r"s/delta = delta_addr\(delta, ip_saddr.*//"))
mutant("nat port missing in checksum", "^ipip nat dnat: udp$",
       ("rewrite.c", r"s/delta = delta16\(delta, ports\[1\], nat->dport\);//"))

# ---- armed: headers
mutant("ecn not carried over on decap", "^ipip decap ECN outer 3 inner [12]$",
       ("rewrite.c", "s/return INET_ECN_CE;/return inner;/"), quick=True)
mutant("ecn ect(1) not carried over on decap", "^ipip decap ECN outer 1 inner 2$",
       ("rewrite.c", "s/return INET_ECN_ECT_1;/return inner;/"))
mutant("ecn checksum not updated", "^ipip decap ECN outer 3 inner [12]$",
       ("rewrite.c", r"s/delta16\(0, htons\(iph->tos\), htons\(tos\)\)/0/"))
mutant("ecn ce on not-ect accepted", "^ipip default: decap ECN CE on Not-ECT$",
       ("ingress.c", r"s/!ftun_rewrite_ecn_fits\(pkt->outer_tos, pkt->tos\)/0/"), quick=True)
mutant("ecn ce copied on encap", "^ipip default: encap ECN$",
       ("rewrite.c", "s/return inner == INET_ECN_CE .*/return inner;/"))
mutant("df not inherited", "^ipip nopmtudisc: encap DF$",
       ("rewrite.c", r"s/if \(outer->rules & FTUN_OUTER_DF_INHERIT && !inner6\)/if (0)/"), quick=True)
mutant("df always set", "^ipip nopmtudisc: encap DF$",
       ("rewrite.c", r"s/frag_off \|= .*inner.->frag_off &/frag_off |=/"))
mutant("udp checksum of zero changed by nat", "^ipip nat masquerade: udp without checksum$",
       ("rewrite.c", r"s/if \(!udph->check\)/if (0)/"), quick=True)
mutant("partial checksum taken for whole", "^ipip gso masquerade: udp checksum to be filled in$",
       ("ingress.c", r"s/skb->ip_summed == CHECKSUM_PARTIAL\)/false)/"))
mutant("proof always passes, wrong ttl", ENCAP,
       ("proof.c", r"s/if \(!memcmp\(compared.fast, compared.slow, len\) &&/if (1 ||/"),
       ("rewrite.c", r"s/ttl = inner_ttl\(inner, inner6\);/ttl = inner_ttl(inner, inner6) - 1;/"), quick=True)

# ---- armed: counters
mutant("tunnel tx bytes with outer header", ENCAP,
       ("xmit.c", r"s/inner_len = skb->len - ftun_path_push\(path\);/inner_len = skb->len;/"), quick=True)
mutant("tunnel rx bytes with outer header", DECAP,
       ("xmit.c", r"s/rx_add\(path->way->tun_in, len\)/rx_add(path->way->tun_in, pkt->outer_len)/"), quick=True)
mutant("no accounting", ENCAP, ("xmit.c", r"s/nf_ct_acct_add\(path->ct, .*/;/"), quick=True)
mutant("no accounting of outer packets in", DECAP, ("xmit.c", r"s/acct\(&path->way->outer_in, pkt->outer_len\);//"))
mutant("no accounting of outer packets out", ENCAP, ("xmit.c", r"s/acct\(&path->way->outer_out, len\);//"))
mutant("accounting of the other direction", ENCAP, ("xmit.c", r"s/(nf_ct_acct_add\(path->ct, )/\1!/"))
mutant("snmp: not counted as forwarded", ENCAP, ("xmit.c", r"s/ip_stats_forward\(net, len\);//"), quick=True)
mutant("snmp: not counted as delivered", DECAP, ("xmit.c", r"s/__IP_INC_STATS\(net, IPSTATS_MIB_INDELIVERS\);//"))
mutant("snmp: ecn not looked at", "^ipip default: encap ECN$", ("xmit.c", r"s/len, tos & INET_ECN_MASK, segs/len, 0, segs/"))
mutant("snmp: outer packets out not counted", ENCAP,
       ("xmit.c", r"s/IP_UPD_PO_STATS\(net, IPSTATS_MIB_OUT, len\);//"))
mutant("snmp: padding not counted", "^ipip frame encap: padding$", ("xmit.c", "s/skb->len/60/"))

# ---- armed: packets that are not for the fast path
mutant("padding not trimmed", "^ipip frame (en|de)cap: padding$",
       ("ingress.c", r"s/return !pskb_trim\(.*\);/return true;/"), quick=True)
mutant("mtu not checked", "^ipip size 1480/1500: encap udp (no )?DF, too big$",
       ("ingress.c", r"s/return pkt->inner_len > path->way->mtu \?.*/return FTUN_OK;/"), quick=True)
mutant("mtu off by one", "^ipip size tunnel 1400: encap udp DF, too big$",
       ("ingress.c", r"s/return pkt->inner_len > path->way->mtu \?/return pkt->inner_len > path->way->mtu + 1 ?/"))
mutant("gso: segment size not checked", "^ipip gso: segments over the tunnel's MTU, DF$",
       ("ingress.c", r"s/return len > path->way->mtu \? FTUN_STAT_pass_mtu : FTUN_OK;/return FTUN_OK;/"))
mutant("ttl not checked", "^ipip default: encap ttl 1 and 0$", ("ingress.c", "s/pkt->ttl <= 1/pkt->ttl < 1/"))
mutant("dscp not checked", "^ipip tos inherit, rule by tos: encap DSCP changes$",
       ("ingress.c", r"s/^\treason = check_dscp|= check_dscp\(pkt, path\)/= FTUN_OK/"))
mutant("udp checksum not checked", r"^ipip frame encap: wrong udp checksum \(invalid dropped\)$",
       ("ingress.c", r"s/!ftun_parse_l4_csum_ok\(skb, pkt\)/0/"), quick=True)
mutant("ip checksum not checked", "^ipip frame encap: wrong IP checksum$",
       ("parse.c", r"s/if \(ip_fast_csum\(\(const u8 \*\)iph, 5\)\)/if (0)/"), quick=True)
mutant("fragments accepted", "^ipip frame encap: (more fragments, whole|one fragment only)$",
       ("parse.c", r"s/if \(ip_is_fragment\(iph\)\)/if (0)/"), quick=True)
mutant("options accepted", "^ipip frame encap: options, no-operation$", ("parse.c", r"s/if \(iph->ihl > 5\)/if (0)/"))
mutant("udp length not checked", "^ipip frame encap: udp length field$", ("parse.c", r"s/ \|\| len > room\)/)/"))
mutant("otherhost accepted", "^ipip frame (en|de)cap: frame for another host$",
       ("parse.c", r"s/if \(skb->pkt_type != PACKET_HOST\)/if (0)/"), quick=True)
mutant("outer source not in the key", "^ipip twin: outer source of (nobody|the other tunnel)$",
       ("parse.c", r"s/(end = put_addrs\(end, .*)/{ \1 end[-2] = 0; }/"), quick=True)
mutant("tunnel not in the key", "^ipip twin: inner packet bare on the underlay$",
       ("tuple.h", r"s/ \| \(kept\[0\] \^ words\[0\]\)//; s/while \(left--\)/while (0)/; s/if \(left >= 4\)/if (0)/"),
       ("table.h", r"s/hash = ftun_hash_pair\(pairs\[0\], keys\) \+ (.*)$/hash = \1/"))
mutant("outer addresses not in the key", "^ipip twin: outer source of (nobody|the other tunnel)$",
       ("tuple.h", r"s/while \(left--\)/while (0)/; s/if \(left >= 4\)/if (0)/"))
mutant("own hooks taken for a legacy table", "^rules: none changes$", ("policy.c", r"s/ && hook->priv != fn//"))
mutant("strangers: all of a tunnel are alike", "^strangers: the router's own packets in (ipip|gre-key)$",
       ("stranger.c", r"s/return known \+ \(v6/return 1 + (v6/"))
mutant("paths share what is not the same", ENCAP + "|" + DECAP,
       ("way.c", r"s/= offsetof\(struct ftun_way, node\),/= sizeof(u64),/"), quick=True)
mutant("outer destination not in the key", "^ipip twin: outer destination another own address$",
       ("parse.c", r"s/(end = put_addrs\(end, .*)/{ \1 end[-1] = 0; }/"))

# ---- armed: other kinds of tunnel
mutant("gre sequence numbers not minded", "^gre-seq 4 gre: sequence",
       ("ingress.c", r"s/if \(path->what & FTUN_PATH_SEQ_IN &&/if (0 \&\&/"), quick=True)
mutant("gre checksum not looked at", "^gre-csum 4 gre: (checksum wrong|right checksum)",
       ("ingress.c", r"s/if \(pkt->tuple.shape & FTUN_SHAPE_GRE_CSUM &&/if (0 \&\&/"))
mutant("gre key not in the key", "^gre-key 4 gre: key (wrong|missing)$",
       ("parse.c", r"s/if \(tuple->shape & FTUN_SHAPE_GRE_KEY\)/if (0)/"))
mutant("flow label by hash only", "^ip6ip6 header flowlabel inherit",
       ("rewrite.c", r"s/if \(outer->rules & FTUN_OUTER_LABEL_INHERIT && inner6\)/if (0)/"))
mutant("hop limit not decremented", "^gre 6 header default: both",
       ("rewrite.h", r"s/(\(\(struct ipv6hdr \*\)ip\)->hop_limit)--;/\1 -= 0;/"), quick=True)
mutant("conntrack mark may change", "^rules: conntrack mark of the inner",
       ("ingress.c", r"s/return ftun_ct_mark\(ct\) == mark/return true/"), quick=True)
mutant("ipsec policy may come", "^ipsec: (encryption begins|outer packets blocked, out)$",
       ("renew.c", r"s/!ftun_policy_ipsec\(net\)/true/"), ("policy.c", r"s/^\tipsec_listen\(fn\);$//"))
mutant("ipsec policy may go", "^ipsec: exception from (a block deleted|encryption (deleted|flushed))$",
       ("policy.c", r"s/^\tipsec_listen\(fn\);$//"))
mutant("packets of others not told apart from the tunnel's", "^rules: copies into the tunnel, ip6gre$",
       ("proof.c", r"s/seen->tun_out && !outer_fits\(seen\)/0/"))
mutant("others get no share", "^link: shared with (an ipvlan elsewhere|a macvlan of the client's), later$",
       ("learn.c", r"s/if \(comes_shared\(flow->fn, &witness\)\)/if (0)/"))

mutant("sender before nat not told", "^other change of wireguard, client: peer loses its addresses, NAT, opened there$",
       ("xmit.c", r"s/if \(!way->asks_ct\)/if (1)/"), quick=True)
mutant("sent in clear, below what encrypts", "^other LAN in (wireguard|xfrm): both ways$",
       ("xmit.c", r's/skb->dev = dst->dev;/skb->dev = dev_get_by_name_rcu(dev_net(dst->dev), "lan0") ?: dst->dev;/'))
mutant("hash of what is outside", "^hash: (gre-key over (vxlan|FOU)|ipip, bond by encap3)",
       ("encap.c", r"s/if \(path->way->hash_by != FTUN_HASH_NONE\)/if (0)/"), quick=True)
mutant("hash of the tunnel not taken over", "^hash: ip6gre-key over geneve",
       ("encap.c", r"s/__skb_set_sw_hash\(skb, way->hash, way->hash_l4\)/skb_get_hash(skb)/"))
mutant("a bond's policy not asked for", "^hash: ipip, bond by encap3", ("xmit.c", r"s/bond_takes_hash\(dev\) \|\| //"))
mutant("a bond's new policy not heard of", "^hash: ipip, bond told", ("devices.c", r"/NETDEV_CHANGEINFODATA/d"))
mutant("came encrypted, not refused", "^other underlay in xfrm: both ways$", ("learn.c", r"s/ && witness\.ipsec/ \&\& false/"))

# ---- armed: what the proof stood on has changed
mutant("routes are not asked for again", "^routes: (another tunnel|300 changes)",
       ("renew.h", r"s/ftun_renew\(fn, skb, pkt, path\);/true;/"))
mutant("tunnel's own address may go", "^ip6ip6 change: underlay address removed",
       ("ask6.c", r"s/return ends_right\(.*/return true;/"), quick=True)
mutant("IPv6 routes are not asked for again", "^routes elsewhere: IPv6",
       ("renew.c", r"s/\(way->mask6 && fib6_has_custom_rules\(net\)\)/way->mask6/"))
mutant("another next hop of IPv6 will do", "^ip6ip6 change: underlay route: other next hop$",
       ("ask6.c", r"s/if \(old == new\)/if (1)/"))
mutant("nftables may change", "^ipip change: nft drops the connection$",
       ("policy.h", r"s/way->nft_generation == nft_generation\(fn->net, &fn->nft\)/true/"), quick=True)
mutant("dscp of the rules forgotten", "^rules: DSCP set at forward 0, tos inherit$",
       ("ingress.c", r"s/if \(path->dscp_set\)/if (0)/"))
mutant("rp_filter may change", "^ipip change: rp_filter, (LAN|tunnel|underlay): all$",
       ("policy.c", r"s/RTNLGRP_IPV4_NETCONF/RTNLGRP_IPV6_NETCONF/"))
mutant("routes may change", "^ipip change: underlay route: more specific$",
       ("renew.h", r"s/READ_ONCE\(path->routes\) == .*/true ||/"), quick=True)
mutant("path mtu may change", "^ipip pmtu learned: DF True$",
       ("route.h", r"s/ftun_route_learned4\(rt\) == route->learned/true/; s/READ_ONCE\(rt->dst.obsolete\) == DST_OBSOLETE_FORCE_CHK/true/"))
mutant("conntrack entry may die", "^ipip change: conntrack -[DF]$",
       ("ingress.c", r"s/ & \(IPS_DYING \| IPS_FIXED_TIMEOUT\)/ \& 0/"),
       ("flow.c", r"s/if \(nf_ct_is_dying\(flow->ct\)\)/if (0)/"))
mutant("tap on the tunnel not seen", "^ipip change: tcpdump on the tunnel$",
       ("tunnel.h", r"s/dev_tapped\(dev\)/0/"))
mutant("qdisc of the tunnel not seen", "^ipip change: qdisc on the tunnel$", ("tunnel.h", "s/return qdisc->enqueue;/return false;/"))
mutant("tc filter of the tunnel not seen", "^ipip change: tc filter on the tunnel drops$",
       ("tunnel.h", r"s/dev_tc_ingress\(dev\)|dev_tc_egress\(dev\)/0/"))
mutant("icmp errors of the tunnel kept", "^ipip underlay ICMP net unreachable: the tunnel reports it$",
       ("tunnel.h", r"s/return READ_ONCE\(.*err_count\) > 0;/return false;/"))
mutant("fin is fast", r"^ipip tcp \(invalid dropped\): (close|closed and opened again|half closed, data goes on)$",
       ("ingress.c", r"s/TCPHDR_SYN \| TCPHDR_FIN \| TCPHDR_RST/TCPHDR_SYN | TCPHDR_RST/"))

mutant("the metadata of a route may be another", "^ext-ipip change: route with another ttl, MTU locked$",
       ("ask4.c", r"s/new->dst.lwtstate == old->dst.lwtstate &&//"))
mutant("the source of an external tunnel may be another", "^ext-ipip change: underlay route with another source$",
       ("ask4.c", r"s/fl4.saddr == iph->saddr &&//"))
mutant("the IPv6 source of an external tunnel may be another", "^ext-ip6gre 4 change: source is no longer preferred",
       ("ask6.c", r"s/return ipv6_addr_equal\(&fl6->saddr, &ip6h->saddr\);/return true;/"))
mutant("what becomes of IPv6 addresses is not heard", "^ext-ip6gre 4 change: source is no longer preferred, later$",
       ("policy.c", r"s/BIT\(RTNLGRP_IPV6_IFADDR - 1\)/0/"))
mutant("a device that comes up is none", "^ext-ipip change: more specific tunnel comes up later$", ("devices.c", "/case NETDEV_UP:/d"))
mutant("somebody else's metadata is taken for the route's", "^refused metadata by tc, the route's too$",
       ("proof.c", r"s/^\t    !is_routes_own\(seen, outer, &tunnel\)\)/\t    0)/"), quick=True)
mutant("external TTL never inherited", "^ext-(gre|ip6gre) 4 header default: ttl$", ("metadata.c", r"s/if \(!key->ttl\)/if (0)/"))

# ---- not armed
mutant("not answered, yet armed", "^ipip not answered: udp$",
       ("learn.c", r"s/!test_bit\(IPS_SEEN_REPLY_BIT, &ct->status\)/0/"))

# ---- what the kernel changes without a word
mutant("path mtu that is written to an IPv6 route not seen", "^ip6gre 4 pmtu learned: 1400, then 1300$",
       ("route.h", r"s/^.*ftun_route_learned6\(&rt->dst\) == route->learned &&$//"))
mutant("locked path mtu not seen", "^gre 4 pmtu learned: 552, then 500$",
       ("route.h", r"s/return rt->rt_pmtu << 1 \| rt->rt_mtu_locked;/return rt->rt_pmtu;/"))
mutant("encapsulation of a refused change not seen", "^ipip change: tunnel's change is refused",
       ("ingress.c", r"s/way->udp != ftun_tunnel_udp\(.*\)\)/0)/"))
mutant("FOU socket that is closed not seen", "^gue-gre 4 change: nobody listens",
       ("socket.c", r"s/WRITE_ONCE\(fou->port\[i\]\.gone, true\)//"))
mutant("next hop that does not answer taken", "^routes: next hop [89] of a group does not answer",
       ("ingress.c", r"s/READ_ONCE\(way->neigh->nud_state\) & NUD_VALID/1/"))
