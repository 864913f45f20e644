# SPDX-License-Identifier: GPL-2.0
"""Something changes while a connection through a tunnel of any kind is fast. IPIP
has more of the same; here is what a family or a kind makes a difference to."""
from harness import net
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up
from harness.sites import FAR6

from .flavours import FLAVOURS

GOES_ON = (3, 6)      # two before the change; after it at most one slow each way, and one for luck
STOPS = (2, 2)
STOPPED = [down(hold=1), down(hold=1), up(hold=1), down(hold=1)]
AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]


def changes(fl):
    def change(name, what, after=AFTER, fast=ANY, world=None, tags=(), protos=("udp",), **how):
        steps = what if isinstance(what, list) else [Do(what)]
        for proto in protos:
            fl.case("change: %s%s" % (name, ", tcp" if proto == "tcp" else ""), [up(), down()] + steps + after,
                    world=dict(world or {}, id=name + proto), fast=fast, proto=proto, tags=tags, **how)

    tunnel(fl, change)
    if fl.full:
        routes(fl, change)
        neighbours(fl, change)
        devices(fl, change)
        rules(fl, change)
        conntrack(change)


def set_tunnel(fl, words):
    """`ip link set` takes what it is not told again for the default: say all of it again."""
    from harness.bed import tunnel_options
    from harness.sites import SITES
    far, router = SITES["far"].outers[fl.kind.under]
    return "ip link set tun0 type %s %s" % (fl.kind.link, tunnel_options(fl.kind.options("tun0", router, far), words))


def listen(fl, verb, words, port):
    return "ip fou %s port %s%s" % (verb, words % port, fl.under("", " -6"))


def tunnel(fl, change):
    if fl.kind.udp:
        change("nobody listens any more", [Do(listen(fl, "del", "%d", port)) for port, _ in fl.kind.listeners()] +
               [Wait(2.5)], STOPPED)
        if fl.kind.name in ("fou-ipip", "fou-gre", "fou-ip6ip6"):       # the next socket may be where the last one was
            for_else = "%d ipproto " + str(4 if fl.kind.gre is not None else 47)
            change("what listens takes out something else", [Do("; ".join([listen(fl, "del", "%d", port) for port, _ in fl.kind.listeners()] + [
                   "sleep 0.1"] + [listen(fl, "add", for_else, port) for port, _ in fl.kind.listeners()])), Wait(2.5)], STOPPED)
    if fl.kind.external:        # kinds_external.py
        return
    ttl, tos = fl.under(("ttl", "tos"), ("hoplimit", "tclass"))
    change(ttl, set_tunnel(fl, {ttl: 5}), fast=GOES_ON, tags=("quick",) if fl.full else ())
    change("mtu", "ip link set tun0 mtu 1280", [up(full=1280), up(full=1281, df=True), down(), up(full=1280)])
    if not fl.full:
        return
    change(tos, set_tunnel(fl, {tos: "0x20"}), fast=GOES_ON)
    change(tos + " inherit", set_tunnel(fl, {tos: "inherit"}), [up(tos=8), down(), up(tos=8), up(tos=0)])
    change("remote", set_tunnel(fl, dict(remote=fl.under("203.0.113.77", "2001:db8:c::77"))),
           [up(), down(hold=1), up()] + [down(o_src=fl.under("203.0.113.77", "2001:db8:c::77"))] * 2 + [up(), down(hold=1)])
    change("local", set_tunnel(fl, dict(local=fl.under("198.51.100.1", "2001:db8:b::1"))),
           [up(), down(), up(), down(o_dst=fl.under("198.51.100.1", "2001:db8:b::1"))])
    change("down", "ip link set tun0 down", fast=STOPS, protos=("udp", "tcp"))
    change("down and up", "ip link set tun0 down; ip link set tun0 up; ip route add %s dev tun0" %
           fl.inner("10.2.0.0/16", "2001:db8:2::/48"))
    change("deleted", "ip link del tun0", fast=STOPS)
    if fl.kind.gre is not None:
        change("gets a key", set_tunnel(fl, dict(key=9)), AFTER + [down(o_key=9), up(), down(o_key=9)])
        change("gets a checksum", set_tunnel(fl, dict(csum=True)), AFTER + [down(o_gre_csum=True), up()])
        change("gets sequence numbers", set_tunnel(fl, dict(seq=True)), AFTER + [down(o_seq=n) for n in (1, 2, 3)] + [up(), up()])
    if fl.kind.link == "ip6tnl":
        change("encapsulation limit", set_tunnel(fl, dict(encaplimit=2)), AFTER)
    if fl.kind.under == 6:
        change("flow label", set_tunnel(fl, dict(flowlabel="0x777")), fast=GOES_ON)


def routes(fl, change):
    inside = fl.inner("10.2.0.0/16", "2001:db8:2::/48")
    six = "-6 " * fl.v6
    for name, route in (("other tunnel", "dev tun1"), ("plain, by the underlay", "via %s dev und0" % fl.inner(
            "192.0.2.2", "2001:db8:a::2")), ("back to the LAN", "via %s dev lan0" % fl.inner("10.1.0.3", "2001:db8:1::3"))):
        change("inner route to " + name, "ip %sroute replace %s %s" % (six, inside, route), tags=("quick",) * (route == "dev tun1"))
    for kind in ("unreachable", "prohibit", "blackhole"):
        change("inner route " + kind, "ip route del %s; ip route add %s %s" % (inside, kind, inside))
    change("inner route deleted", "ip route del " + inside)
    change("inner route gets an mtu", "ip route replace %s dev tun0 mtu 1280" % inside, [up(full=1280, df=True),
           up(full=1281, df=True), down(), up(full=1280, df=True)])
    change("inner rule: other table", "ip %sroute add %s dev tun1 table 55; ip %srule add from %s table 55" % (
        six, inside, six, fl.addr("client")))
    change("unrelated route", "ip route add %s dev lan0" % fl.inner("172.20.0.0/16", "2001:db8:aaaa::/48"), fast=GOES_ON)
    net_, gate, other, dev1 = fl.under(("203.0.113.0/24", "192.0.2.2", "192.0.2.3", "198.51.100.2"),
                                       ("2001:db8:c::/64", "2001:db8:a::2", "2001:db8:a::3", "2001:db8:b::2"))
    change("underlay route: other next hop", "ip route replace %s via %s dev und0" % (net_, other), fast=GOES_ON,
           tags=("quick",))
    change("underlay route: other device", "ip route replace %s via %s dev und1" % (net_, dev1), fast=GOES_ON)
    change("underlay route: blackhole", "ip route del %s; ip route add blackhole %s" % (net_, net_))
    change("underlay route deleted", "ip route del " + net_)
    change("underlay route gets an mtu", "ip route replace %s via %s dev und0 mtu 1300" % (net_, gate),
           [up(full=fl.kind.mtu(1300), df=True), up(full=fl.kind.mtu(1300) + 1, df=True), down(), up()])


def neighbours(fl, change):
    live = dict(neigh="live")
    gate, client = fl.under("192.0.2.2", "2001:db8:a::2"), fl.inner("10.1.0.2", "2001:db8:1::2")
    change("underlay neighbour has another MAC", "ip neigh replace %s lladdr 02:00:00:00:0b:0b dev und0 nud permanent" % gate,
           fast=GOES_ON, tags=("quick",))
    change("client has another MAC", "ip neigh replace %s lladdr 02:00:00:00:0b:0b dev lan0 nud permanent" % client, fast=GOES_ON)
    change("underlay neighbour deleted", "ip neigh del %s dev und0" % gate, world=live)
    change("client's neighbour entry deleted", "ip neigh del %s dev lan0" % client, world=live)
    change("underlay neighbour flushed, burst", [Do("ip neigh flush dev und0")] + [up(size=n) for n in range(5)], world=live)
    change("neighbours live, nothing changes", [], world=live, fast=6)


def devices(fl, change):
    change("LAN address removed", "ip addr del %s dev lan0" % fl.inner("10.1.0.1/24", "2001:db8:1::1/64"))
    change("underlay address removed", "ip addr del %s dev und0" % fl.under("192.0.2.1/24", "2001:db8:a::1/64"))
    change("underlay down", "ip link set und0 down")
    change("LAN down", "ip link set lan0 down", [down(), down()])
    if fl.kind.link == "ip6tnl":        # packets to it come by that, but ip6_tnl_rcv_ctl() does not take them
        change("underlay address is only a local route", "ip -6 route add local 2001:db8:a::1/128 dev lo; ip -6 addr del 2001:db8:a::1/64 dev und0",
               [down(hold=1)] * 3 + AFTER)
        change("far end's address is ours too", "ip -6 addr add %s/128 dev lan0 nodad" % FAR6, [down(hold=1)] * 3 + AFTER)
    mtu = fl.kind.mtu(1350)
    change("underlay mtu 1350", "ip link set und0 mtu 1350", [up(full=mtu, df=True), up(full=mtu + 1, df=True), down(), up(full=mtu)])
    change("LAN mtu 1280", "ip link set lan0 mtu 1280", [down(full=1280, df=True), down(full=1281, df=True), up()])
    name = "net.ipv6.conf.%s.forwarding" if fl.v6 else "net.ipv4.conf.%s.forwarding"
    for dev in ("all", "lan0", "tun0"):
        change("forwarding of %s 0" % dev, [Do(lambda bed, flow, n=name % dev: net.sysctl(n, 0))])


def rules(fl, change):
    add, ip = "nft insert rule inet ftd forward ", fl.inner("ip", "ip6")
    change("nft drops the connection", add + "meta l4proto udp drop", fast=STOPS, tags=("quick",))
    change("nft drops one direction", add + "%s saddr %s drop" % (ip, fl.addr("far")), fast=(2, 4))
    change("nft rejects the connection", add + "meta l4proto { tcp, udp } reject", fast=STOPS, protos=("udp", "tcp"))
    change("nft rule that matches nothing", add + "%s saddr %s drop" % (ip, fl.inner("9.9.9.9", "2001:db8:9999::9")))
    change("nft sets the DSCP", add + "%s dscp set cs1" % ip)
    change("nft drops the outer packet on its way out", "nft add chain inet ftd out '{ type filter hook output priority 0; }';"
           "nft add rule inet ftd out oifname und0 drop", fast=(2, 4))
    change("nft drops the outer packet on its way in", "nft add chain inet ftd inp '{ type filter hook input priority 0; }';"
           "nft add rule inet ftd inp iifname und0 drop", fast=(2, 4))


def conntrack(change):
    change("conntrack -F", "conntrack -F", after=AFTER + AFTER, protos=("udp", "tcp"))
    change("conntrack -F, masquerade", "conntrack -F", after=[up(), down(), up(), down()],
           world=dict(nat=["post oifname tun0 masquerade"]))


for _fl in FLAVOURS:
    changes(_fl)

# The address of this end is another device's than the packets come by.
ELSEWHERE = ("addr del 2001:db8:a::1/64 dev und0", "addr add 2001:db8:a::77/64 dev und0 nodad", "addr add 2001:db8:a::1/128 dev lo nodad", "link set lo up",
             "route replace 2001:db8:c::/64 via 2001:db8:a::2 dev und0", "neigh replace 2001:db8:a::2 lladdr 02:00:00:00:02:02 dev und0 nud permanent")
for _kind, _family in (("ip6ip6", 6), ("ip6gre", 6), ("fou-ip6gre", 6), ("ipip6", 4)):
    case("%s: this end's address is lo's" % _kind, [up(), down(), up(), down(), down()], family=_family, world=dict(kind=_kind, setup=ELSEWHERE))

# A rule has the last word on the outer source port, also of packets that come with a hash.
HASH = ("tc() { ip netns exec ftd-c tc qdisc add dev c0 $*; }; ip netns exec ftd-c tc qdisc replace dev c0 root handle 1: prio && "
        "for n in 1 2 3; do tc parent 1:$n fq_codel; done")
PORT = "table ip port {\n chain out {\n type filter hook output priority -300;\n udp dport { 5504, 6080 } udp sport set 7777\n }\n}\n"
for _kind in ("fou-ipip", "gue-gre"):
    for _id, _nft in (("hash's", ""), ("rule's", PORT)):
        case("%s: outer port is the %s" % (_kind, _id), [up(), Do(HASH), up(), up(), down()], fast=ANY, world=dict(kind=_kind, id="port" + _id, nft=_nft),
             undo=["ip netns exec ftd-c tc qdisc del dev c0 root"])
