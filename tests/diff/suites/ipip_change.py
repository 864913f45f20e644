# SPDX-License-Identifier: GPL-2.0
"""Something changes while the connection is fast: its next packet must be what
the slow path makes of the new state. Each case has a router of its own."""
import struct

from harness import bed as b
from harness import frames as fr
from harness import net
from harness.engine import ANY, case
from harness.flow import Do, Raw, Wait, down, up
from harness.sites import OTHER_GATEWAY, SITES

GOES_ON = (3, 6)      # two before the change; after it at most one slow each way, and one for luck
STOPS = (2, 2)
# The same bytes of TCP again: right for conntrack's window whether or not any of it got through.
AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]


def change(name, what, after=AFTER, fast=GOES_ON, world=None, tags=(), **how):
    """A packet each way, the change, more packets."""
    steps = what if isinstance(what, list) else [Do(what)]
    for proto in how.pop("protos", ("udp",)):
        case("ipip change: %s%s" % (name, ", tcp" if proto == "tcp" else ""),
             [up(), down()] + steps + after, world=dict(world or {}, id=name + proto), fast=fast,
             proto=proto, tags=tags, **how)


LIVE = dict(neigh="live")
BOTH = ("udp", "tcp")

# the tunnel
change("tunnel mtu", "ip link set tun0 mtu 1400", [up(full=1400), up(full=1401, df=True), down(), up(full=1400)],
       fast=ANY, protos=BOTH)
change("tunnel mtu raised", "ip link set tun0 mtu 1480", [up(full=1401, df=True), down(), up(full=1480, df=True)],
       fast=ANY, world=dict(tun_mtu=1300))
change("tunnel ttl", "ip link set tun0 type ipip ttl 5", tags=("quick",), protos=BOTH)
change("tunnel tos", "ip link set tun0 type ipip tos 0x20")
change("tunnel tos inherit", "ip link set tun0 type ipip tos inherit", [up(tos=8), down(), up(tos=8), up(tos=0)], fast=ANY)
change("tunnel nopmtudisc", "ip link set tun0 type ipip nopmtudisc")
change("tunnel remote", "ip link set tun0 type ipip remote 203.0.113.77", [up(), down(hold=1), up(), down(o_src="203.0.113.77"),
       up(), down(o_src="203.0.113.77"), down(hold=1)], fast=ANY, tags=("quick",), protos=BOTH)
change("tunnel local", "ip link set tun0 type ipip local 198.51.100.1", [up(), down(), up(), down(o_dst="198.51.100.1")],
       fast=ANY)
change("tunnel fwmark", "ip rule add fwmark 7 table 100; ip route add default via 192.0.2.3 dev und0 table 100;"
       "ip link set tun0 type ipip fwmark 7")
change("tunnel dev", "ip link set tun0 type ipip dev und0")
change("tunnel down", "ip link set tun0 down", fast=STOPS, protos=BOTH)
change("tunnel down and up", "ip link set tun0 down; ip link set tun0 up; ip route add 10.2.0.0/16 dev tun0",
       tags=("quick",), protos=BOTH)
change("tunnel down, packets, up", [Do("ip link set tun0 down"), up(), down(),
                                    Do("ip link set tun0 up; ip route add 10.2.0.0/16 dev tun0")], fast=ANY)
change("tunnel deleted", "ip link del tun0", fast=STOPS)
_NEW = "ip link del tun0; ip link add %s type ipip local 192.0.2.1 remote 203.0.113.2 %s; ip link set %s up;" \
       "ip route add 10.2.0.0/16 dev %s"
change("tunnel deleted and made again", _NEW % ("tun0", "", "tun0", "tun0"), fast=ANY, protos=BOTH)
change("tunnel deleted and made with ttl 7", _NEW % ("tun0", "ttl 7", "tun0", "tun0"), fast=ANY)
change("tunnel deleted and made with another name", _NEW % ("tunx", "", "tunx", "tunx"), fast=ANY)
change("tunnel renamed", "ip link set tun0 name tunx 2>/dev/null || { ip link set tun0 down; ip link set tun0 name tunx;"
       "ip link set tunx up; ip route add 10.2.0.0/16 dev tunx; }", fast=ANY)
change("tunnel renamed, rule by name", "ip link set tun0 down; ip link set tun0 name tunx; ip link set tunx up;"
       "ip route add 10.2.0.0/16 dev tunx", world=dict(filter="oifname tunx drop"), fast=ANY)
change("tunnel's change is refused, but for its encapsulation", "modprobe -q fou; ip link set tun0 type ipip remote any encap fou "
       "encap-sport 5555 encap-dport 5555 2>/dev/null || true", [up()] * 3 + AFTER, fast=ANY, tags=("quick",))
change("tunnel gets a second address", "ip addr add 10.9.5.1/24 dev tun0")
change("tunnel moved to another netns", "ip link set tun0 netns ftd-c", fast=STOPS)

# routes
for _name, _route in (("other tunnel", "dev tun1"), ("blackhole", None), ("plain, by the underlay", "via 192.0.2.2 dev und0"),
                      ("back to the LAN", "via 10.1.0.3 dev lan0")):
    _cmd = "ip route replace 10.2.0.0/16 " + _route if _route else \
        "ip route del 10.2.0.0/16; ip route add blackhole 10.2.0.0/16"
    change("inner route to " + _name, _cmd, fast=ANY, protos=BOTH, tags=("quick",))
for _kind in ("unreachable", "prohibit", "throw"):
    change("inner route " + _kind, "ip route del 10.2.0.0/16; ip route add %s 10.2.0.0/16" % _kind, fast=ANY)
change("inner route: more specific", "ip route add 10.2.0.2/32 dev tun1", fast=ANY)
change("inner route deleted", "ip route del 10.2.0.0/16", fast=ANY)
change("inner route gets an mtu", "ip route replace 10.2.0.0/16 dev tun0 mtu 600", [up(full=601, df=True), up(full=600, df=True),
       down(), up()], fast=ANY)
change("inner rule: other table", "ip route add 10.2.0.0/16 dev tun1 table 55; ip rule add from 10.1.0.2 table 55", fast=ANY)
change("inner rule: by incoming device", "ip route add 10.2.0.0/16 dev tun1 table 55; ip rule add iif lan0 table 55", fast=ANY)
change("route to the client", "ip route add 10.1.0.2/32 via 10.1.0.3 dev lan0")
change("route to the client: blackhole", "ip route add blackhole 10.1.0.2/32", fast=ANY)
change("unrelated route", "ip route add 172.20.0.0/16 dev lan0", tags=("quick",))
change("underlay route: other next hop", "ip route replace 203.0.113.0/24 via 192.0.2.3 dev und0", tags=("quick",), protos=BOTH)
change("underlay route: other device", "ip route replace 203.0.113.0/24 via 198.51.100.2 dev und1", protos=BOTH)
change("underlay route: more specific", "ip route add 203.0.113.2/32 via 192.0.2.3")
change("underlay route: blackhole", "ip route del 203.0.113.0/24; ip route add blackhole 203.0.113.0/24", fast=ANY, tags=("quick",))
change("underlay route deleted", "ip route del 203.0.113.0/24", fast=ANY)
change("underlay route mtu 1000", "ip route replace 203.0.113.0/24 via 192.0.2.2 dev und0 mtu 1000",
       [up(full=980, df=True), up(full=981, df=True), down(), up()], fast=ANY)
change("underlay route into the tunnel itself", "ip route add 203.0.113.2/32 dev tun0", fast=ANY)
change("underlay rule", "ip route add default via 192.0.2.3 dev und0 table 77; ip rule add to 203.0.113.2 table 77")

# the way back is another one, which only rp_filter minds
for _where, _dev, _route in (("LAN", "lan0", "10.1.0.2/32"), ("tunnel", "tun0", "10.2.0.2/32"), ("underlay", "und0", "203.0.113.2/32")):
    for _what in (_dev, "all"):
        change("rp_filter, %s: %s" % (_where, _what), "sysctl -qw net.ipv4.conf.%s.rp_filter=1" % _what, fast=ANY,
               world=dict(setup=("route add %s via 198.51.100.2 dev und1" % _route,)), tags=("quick",) if _what == "all" else (),
               path=("client", "far") if _where == "LAN" else ("far", "client"))

# neighbours
_MOVED = "02:00:00:00:0b:0b"
change("underlay neighbour has another MAC", "ip neigh replace 192.0.2.2 lladdr %s dev und0 nud permanent" % _MOVED,
       tags=("quick",), protos=BOTH)
change("client has another MAC", "ip neigh replace 10.1.0.2 lladdr %s dev lan0 nud permanent" % _MOVED)
change("underlay neighbour deleted", "ip neigh del 192.0.2.2 dev und0", world=LIVE, tags=("quick",), protos=BOTH)
change("client's neighbour entry deleted", "ip neigh del 10.1.0.2 dev lan0", world=LIVE, protos=BOTH)
change("underlay neighbour flushed, burst", [Do("ip neigh flush dev und0")] + [up(size=n) for n in range(5)], world=LIVE,
       fast=ANY)
change("underlay neighbour stale", "ip neigh replace 192.0.2.2 lladdr 02:00:00:00:02:02 dev und0 nud stale", world=LIVE)
change("neighbours live, nothing changes", [], world=LIVE, fast=6)
change("gratuitous ARP with another MAC", [Raw("far", fr.eth(fr.arp(2, _MOVED, "192.0.2.2", "02:00:00:00:02:01", "192.0.2.1"),
       "02:00:00:00:02:01", _MOVED, fr.ETH_ARP))], world=LIVE, fast=ANY)
change("router's underlay MAC", "ip link set und0 address 02:00:00:00:02:99",
       [up(), down(dmac="02:00:00:00:02:99"), up(), down(dmac="02:00:00:00:02:99"), down()], fast=ANY)
change("router's LAN MAC", "ip link set lan0 address 02:00:00:00:01:99",
       [down(), up(dmac="02:00:00:00:01:99"), down(), up(dmac="02:00:00:00:01:99"), up()], fast=ANY)

# devices and addresses
change("LAN address removed", "ip addr del 10.1.0.1/24 dev lan0", fast=ANY)
change("underlay address removed", "ip addr del 192.0.2.1/24 dev und0", fast=ANY)
change("underlay gets a second address", "ip addr add 192.0.2.9/24 dev und0")
change("underlay down", "ip link set und0 down", fast=ANY)
change("LAN down", "ip link set lan0 down", [down(), down()], fast=ANY)
change("underlay mtu 1300", "ip link set und0 mtu 1300", [up(full=1280, df=True), up(full=1281, df=True), down(), up(full=1300)],
       fast=ANY)
change("LAN mtu 600", "ip link set lan0 mtu 600", [down(full=600, df=True), down(full=601, df=True), down(full=700), up()], fast=ANY)
change("LAN renamed", "ip link set lan0 down; ip link set lan0 name lanx; ip link set lanx up;"
       "ip neigh replace 10.1.0.2 lladdr 02:00:00:00:01:02 dev lanx nud permanent",
       [Do(lambda bed, flow: net.wait_links(bed.ns["r"]))] + AFTER, fast=ANY)
change("underlay renamed", "ip link set und0 down; ip link set und0 name undx; ip link set undx up;"
       "ip route add 203.0.113.0/24 via 192.0.2.2 dev undx;"
       "ip neigh replace 192.0.2.2 lladdr 02:00:00:00:02:02 dev undx nud permanent",
       [Do(lambda bed, flow: net.wait_links(bed.ns["r"]))] + AFTER, fast=ANY)

# conntrack
def forget(bed, flow):
    src, sport, dst, dport = flow.view["up"]
    net.run("conntrack", "-D", "-p", flow.proto, "-s", src, "-d", dst, "--sport", str(sport), "--dport", str(dport))


change("conntrack -D", [Do(forget)], tags=("quick",), fast=ANY, protos=BOTH, after=AFTER + AFTER)
change("conntrack -F", "conntrack -F", tags=("quick",), fast=ANY, protos=BOTH, after=AFTER + AFTER)
change("conntrack -D, invalid dropped", [Do(forget)], fast=ANY, protos=BOTH, after=AFTER + AFTER,
       world=dict(filter="ct state invalid drop",
                  sysctl={"net.netfilter.nf_conntrack_tcp_loose": 0}))
change("conntrack -D, masquerade", [Do(forget)], fast=ANY, protos=BOTH, after=[up(), down(), up(), down()],
       world=dict(nat=["post oifname tun0 masquerade"]))
change("conntrack -D of the outer entry", "conntrack -D -p 4; true", fast=ANY)
change("conntrack mark set", "conntrack -U -m 9 -p udp; true", fast=ANY)
change("accounting off", [Do(lambda bed, flow: net.sysctl("net.netfilter.nf_conntrack_acct", 0))], fast=ANY)
change("accounting was off, goes on", [Do(lambda bed, flow: net.sysctl("net.netfilter.nf_conntrack_acct", 1))], fast=ANY,
       world=dict(sysctl={"net.netfilter.nf_conntrack_acct": 0}))

# rules
_ADD = "nft insert rule ip ftd forward "
change("nft drops the connection", _ADD + "ip protocol udp drop", fast=STOPS, tags=("quick",))
change("nft drops one direction", _ADD + "ip saddr 10.2.0.2 drop", fast=(2, 4))
change("nft rejects the connection", _ADD + "meta l4proto { tcp, udp } reject", fast=STOPS, protos=BOTH)
change("nft rule that matches nothing", _ADD + "ip saddr 9.9.9.9 drop", tags=("quick",))
change("nft sets the DSCP", _ADD + "ip dscp set cs1", fast=ANY)
change("nft sets the ttl", _ADD + "ip ttl set 9", fast=ANY)
change("nft marks for another table", "ip route add default dev tun1 table 9; ip rule add fwmark 9 table 9; nft add chain ip ftd mangle "
       "'{ type filter hook prerouting priority -150; }'; nft add rule ip ftd mangle iifname lan0 meta mark set 9", fast=ANY)
change("nft drops the outer packet on its way out", "nft add chain ip ftd out '{ type filter hook output priority 0; }';"
       "nft add rule ip ftd out ip protocol 4 drop", fast=(2, 4))
change("nft drops the outer packet on its way in", "nft add chain ip ftd inp '{ type filter hook input priority 0; }';"
       "nft add rule ip ftd inp ip protocol 4 drop", fast=(2, 4))
change("nft drops in postrouting", "nft add chain ip ftd po '{ type filter hook postrouting priority 0; }';"
       "nft add rule ip ftd po oifname tun0 drop", fast=(2, 4))
change("nft drops in prerouting", "nft add chain ip ftd pr '{ type filter hook prerouting priority -200; }';"
       "nft add rule ip ftd pr ip saddr 10.1.0.2 drop", fast=(2, 4))
change("nft drops, then the rule is gone", [Do(_ADD + "ip protocol udp drop"), up(), down(), Do("nft flush chain ip ftd forward")],
       fast=ANY)
change("nft flush ruleset", "nft flush ruleset", fast=ANY)
change("nft set that drops gets the client", "nft add element ip ftd bad '{ 10.1.0.2 }'", fast=ANY,
       world=dict(filter="ip saddr @bad drop", nft="", early="set bad { type ipv4_addr; }"))

# sysctls
def sysctl(name, value):
    return [Do(lambda bed, flow: net.sysctl(name, value))]


change("ip_forward 0", sysctl("net.ipv4.ip_forward", 0), fast=STOPS, tags=("quick",), protos=BOTH)
change("ip_forward 0 and 1", sysctl("net.ipv4.ip_forward", 0) + [up(), down()] + sysctl("net.ipv4.ip_forward", 1), fast=ANY)
for _dev in ("lan0", "tun0", "und0"):
    change("forwarding of %s 0" % _dev, sysctl("net.ipv4.conf.%s.forwarding" % _dev, 0), fast=ANY)
change("rp_filter strict", sysctl("net.ipv4.conf.all.rp_filter", 1))
change("rp_filter strict, other way back", sysctl("net.ipv4.conf.all.rp_filter", 1) +
       [Do("ip route replace 10.2.0.0/16 dev tun1")], fast=ANY)
change("rp_filter strict, other way to the tunnel's end", sysctl("net.ipv4.conf.all.rp_filter", 1) +
       [Do("ip route replace 203.0.113.0/24 via 198.51.100.2 dev und1")], fast=ANY)

# watchers
def tap(dev, **how):
    """A packet socket on a device of the router: what it sees is compared too."""
    def attach(bed, flow):
        wire = net.Wire("tap " + dev, bed.ns["r"], dev, "", **{"outgoing": True, **how})
        bed.wires["tap " + dev] = wire
    return Do(attach)


change("tcpdump on the tunnel", [tap("tun0")], fast=STOPS, tags=("quick",))
change("tcpdump on the underlay", [tap("und0")], fast=ANY)
change("tcpdump on the LAN", [tap("lan0")], fast=ANY)
change("qdisc on the tunnel", "tc qdisc add dev tun0 root pfifo limit 10", fast=(2, 4))
change("tc filter on the tunnel drops", "modprobe -a sch_ingress cls_matchall act_gact; tc qdisc add dev tun0 clsact && "
       "tc filter add dev tun0 ingress matchall action drop && tc filter add dev tun0 egress matchall action drop", fast=STOPS)
change("qdisc on the underlay", "tc qdisc add dev und0 root pfifo limit 10", fast=ANY)
change("nft netdev chain on the tunnel drops", "nft add table netdev nd; nft add chain netdev nd in "
       "'{ type filter hook ingress device tun0 priority 0; policy drop; }'", [down(), up(), down()], fast=(2, 3))

# time
case("ipip time: udp is assured after two seconds", [up(), down(), Wait(2.3), up(), down(), up(), down()],
     world=dict(id="assured"), fast=(4, 6), assured=True, tags=("quick",))
case("ipip time: idle flow ends and comes back", [up(), down(), Wait(4), up(), down(), up(), down(), up(), down()],
     world=dict(id="idle", sysctl={"net.netfilter.nf_flowtable_udp_timeout": 1}), fast=ANY)
case("ipip time: idle tcp ends and comes back", [up(), down(), Wait(4), up(), down(), up(), down()], proto="tcp",
     world=dict(id="idle tcp", sysctl={"net.netfilter.nf_flowtable_tcp_timeout": 1}), fast=ANY)
# An entry ends when conntrack's timeout says so, whatever that of offloaded connections may be; a FIN gives it another one.
STRICT = dict(filter="ct state invalid drop")
case("ipip time: udp that was idle for too long is another connection",
     [up(), down(), Wait(2.2), up(), down(), up(), down(), Wait(4.5), up(), down(), up()], fast=ANY,
     world=dict(id="expired", sysctl={"net.netfilter.nf_conntrack_udp_timeout": 3, "net.netfilter.nf_conntrack_udp_timeout_stream": 3}))
case("ipip time: tcp is closed after a pause", [up(), down(), Wait(4), down(flags="FA"), up(flags="A"), Wait(3), up(flags="FA"), down(flags="A")],
     proto="tcp", fast=ANY, world=dict(STRICT, id="closed late", sysctl={"net.netfilter.nf_conntrack_tcp_timeout_close_wait": 5,
                                                                         "net.netfilter.nf_conntrack_tcp_timeout_fin_wait": 5}))
for _name, _limits, _last in (("sent again, unacknowledged", (6, 6, 2), dict(hold=1)), ("unacknowledged, window shut", (6, 2, 6), dict(window=0))):
    case("ipip time: tcp is idle, %s" % _name, [up(**_last)] * 6 + [Wait(4), up(**_last), up(**_last)], proto="tcp", fast=ANY,
         world=dict(STRICT, id=_name, sysctl={"net.netfilter.nf_conntrack_tcp_loose": 0, **{
             "net.netfilter.nf_conntrack_tcp_timeout_" + n: v for n, v in zip(("established", "max_retrans", "unacknowledged"), _limits)}}))
case("ipip time: a rule gives tcp another timeout", [up(), down(), Wait(5.5), up(), down(), up()], proto="tcp", fast=ANY,
     world=dict(STRICT, id="policy", sysctl={"net.netfilter.nf_conntrack_tcp_loose": 0}, early="""
         ct timeout short {
          protocol tcp
          l3proto ip
          policy = { established : 3, unack : 3 }
         }
         chain limits {
          type filter hook prerouting priority -150
          meta l4proto tcp ct timeout set "short"
         }"""))
case("ipip time: entry lives as long as the flow",
     sum(([up(), down(), Wait(0.8)] for _ in range(5)), []) + [up(), down()], fast=ANY,
     world=dict(id="short", sysctl={"net.netfilter.nf_conntrack_udp_timeout": 2,
                                    "net.netfilter.nf_conntrack_udp_timeout_stream": 2,
                                    "net.netfilter.nf_conntrack_generic_timeout": 3}))

# What the limits are when a packet comes is what it is good for: of the connection, and of the tunnel's own entry.
UDP_LIMITS = ("net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_udp_timeout_stream")
GENERIC_LIMIT = ("net.netfilter.nf_conntrack_generic_timeout",)


def limits(name, sysctls, before, now, send, nft=None):
    """Timeouts are changed while the connection is fast; which of them a packet met is known if it came another second."""
    change = [Wait(2.5), *(Do(lambda bed, flow, n=n: net.sysctl(n, now)) for n in sysctls), Wait(1.5)]
    case("ipip time: " + name, [up(), down(), *([Do(nft)] if nft else []), *AFTER, *change, *send], world=dict(id="limits " + name, sysctl=dict.fromkeys(sysctls, before) if before else {}), fast=ANY)


ONLY_KNOWN = "nft insert rule ip ftd forward ct state new drop"
limits("udp timeout becomes less", UDP_LIMITS, None, 3, AFTER + [Wait(6), up(), down(), up()])
limits("udp timeout becomes more", UDP_LIMITS, 6, 3600, AFTER + [Wait(8)] + AFTER, nft=ONLY_KNOWN)
limits("udp timeout becomes less while nothing comes", UDP_LIMITS, 60, 3, [Wait(6)] + AFTER, nft=ONLY_KNOWN)
limits("generic timeout becomes less", GENERIC_LIMIT, None, 3, AFTER + [Wait(6), up(), down(), up()])
limits("generic timeout becomes more", GENERIC_LIMIT, 6, 3600, AFTER + [Wait(8), up(), down(), up()])
