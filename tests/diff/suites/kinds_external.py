# SPDX-License-Identifier: GPL-2.0
"""External tunnels: what their header is like is said by the inner route, and what
they take out of one is whatever no other tunnel wants. Beside what is in kinds_*.py."""
import socket
import struct

from harness import net
from harness.engine import ANY
from harness.flow import Do, down, up
from harness.kinds import IN_KEY, OUT_KEY
from harness.sites import FAR, FAR6, UND0, UND06

from .flavours import FLAVOURS, QUICK_CHANGES, QUICK_CHANGES

GOES_ON = (3, 6)        # two before the change; after it at most one slow each way, and one for luck
AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
CHOSEN = ("ext-ipip", "ext-gre", "ext-gre-all", "ext-ip6tnl", "ext-ip6gre", "ext-ip6gre-all")
DONT_FRAGMENT = 0x0100
ECN_LEGAL = [(o, i) for o in range(4) for i in range(4) if i or not o]


# ---- what the route says of the header

def settings(fl):
    four = {"ttl 64": dict(ttl=64), "tos inherit": dict(tos="0x1"), "tos 0x22": dict(tos="0x22"), "no source": dict(src=None),
            "ttl 255 tos inherit": dict(ttl=255, tos="0x1"), "tos 0xb8": dict(tos="0xb8")}
    six = {"hoplimit 5": dict(hoplimit=5), "tc 0x20": dict(tc="0x20"), "tc 1": dict(tc="0x1"), "no source": dict(src=None)}
    return {4: four, 6: six}[fl.kind.under]


def header(fl, name, tun):
    def add(what, send, **how):
        fl.case("gre: route says %s: %s" % (name, what), send, world=dict(tun=tun), **how)

    add("both ways", [f(size=n) for n in (0, 1, 32, 1000) for f in (up, down)], tags=("quick",) if fl.label in QUICK_CHANGES else ())
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("encap ECN", [up(tos=t) for t in range(4)])
    add("encap EF, ECN", [up(tos=0xb8 | t) for t in range(4)], base=dict(tos=0xb8))
    add("encap DSCP changes", [up(tos=0xb8), up(tos=0x10), up(tos=0)], fast=ANY)
    add("encap DF", [up(df=True), up(df=False)])
    add("ttl", [up(ttl=255), up(ttl=2), down(ttl=255), down(o_ttl=1)])
    add("decap ECN", [down(o_tos=o, tos=i) for o, i in ECN_LEGAL])


def strict(fl):
    """Answers to what comes out leave by the same device."""
    world = dict(sysctl={"net.ipv4.conf.all.rp_filter": 1, "net.ipv4.conf.default.rp_filter": 1})
    fl.case("gre: rp_filter", [down(), up(), down(size=3)], world=world)
    fl.case("gre: rp_filter, source of nobody", [down(src=fl.inner("10.77.0.9", "2001:db8:77::9")), down()], world=world, fast=ANY)


def dont_fragment(fl):
    """`ip route` has no word for it."""
    def replace(bed, flow):
        outer = {2: socket.inet_aton(FAR), 3: socket.inet_aton(UND0), 1: bytes(8), 6: struct.pack("!H", DONT_FRAGMENT)}
        encap = b"".join(struct.pack("HH", 4 + len(v), k) + v + bytes(-len(v) % 4) for k, v in outer.items())
        dst = socket.inet_pton(socket.AF_INET6, "2001:db8:2::") if fl.v6 else socket.inet_aton("10.2.0.0")
        attrs = {1: dst, 4: struct.pack("I", socket.if_nametoindex("tun0")), 21: struct.pack("H", 2), 0x8000 | 22: encap}
        body = struct.pack("BBBBBBBBI", fl.inner(2, 10), fl.inner(16, 48), 0, 0, 254, 4, fl.inner(253, 0), 1, 0) + b"".join(
            struct.pack("HH", 4 + len(v), k) + v + bytes(-len(v) % 4) for k, v in attrs.items())
        net.shell("ip %sroute del %s" % ("-6 " * fl.v6, inside(fl)))
        bed.rtnl.ask(24, body, 0x600)

    mtu = fl.kind.mtu()
    fl.case("change: route says: don't fragment", [up(), down(), Do(replace)] + AFTER + [up(full=mtu, df=True), up(full=mtu), up(df=True)],
            world=dict(id="df"), fast=(5, 9))
    fl.case("change: route says: don't fragment, underlay 1400", [up(), down(), Do(replace)] + AFTER +
            [up(full=n, df=df, hold=1) for n in (mtu - 101, mtu - 100, mtu - 99, mtu) for df in (True, False)],
            world=dict(id="df 1400", und_mtu=1400), fast=ANY)


# ---- changes

def inside(fl):
    return fl.inner("10.2.0.0/16", "2001:db8:2::/48")


def changes(fl):
    def change(name, what, after=AFTER, fast=GOES_ON, world=None, **how):
        fl.case("change: " + name, [up(), down(), *([Do(what)] if isinstance(what, str) else what)] + after,
                world=dict(world or {}, id=name), fast=fast, **how)

    def replaced(**given):
        return "ip %sroute replace %s %sdev tun0" % ("-6 " * fl.v6, inside(fl), fl.encap(**given))

    ttl, tos = fl.under(("ttl", "tos"), ("hoplimit", "tc"))
    change("route with another ttl", replaced(**{ttl: 5}), tags=("quick",))
    # A route that has learned an MTU is none that is asked for again; of a locked one nobody learns.
    locked = " mtu lock 1400"
    change("route with another ttl, MTU locked", replaced(**{ttl: 5}) + locked, world=dict(setup=(replaced()[3:] + locked,)))
    change("route with another tos", replaced(**{tos: "0x20"}))
    moved = change
    if "seq" in (fl.kind.gre or ()):        # the harness counts from where it saw the two addresses last
        def moved(*_, **__):
            pass
    moved("route with another destination", replaced(dst=fl.under("203.0.113.77", "2001:db8:c::77")), tags=("quick",))
    moved("route with another source", replaced(src=fl.under("198.51.100.1", "2001:db8:b::1")))
    change("route with no source", replaced(src=None))
    change("route with another id", replaced(id=OUT_KEY + 1))
    change("route says the same again", replaced())
    change("route with the header of the other family", "ip %sroute replace %s encap %s dst %s dev tun0" % (
        "-6 " * fl.v6, inside(fl), *fl.under(("ip6", FAR6), ("ip", FAR))), fast=ANY)
    change("route with no header", "ip %sroute replace %s dev tun0" % ("-6 " * fl.v6, inside(fl)), fast=ANY)
    change("route changed and changed back", "%s; %s" % (replaced(id=77, **{ttl: 9}), replaced()))
    if fl.kind.gre is not None:
        for flag in ("key", "csum", "seq"):
            change("route with %s alone" % flag, "ip %sroute replace %s encap %s id 5 src %s dst %s %s dev tun0" % (
                "-6 " * fl.v6, inside(fl), *fl.under(("ip", UND0, FAR), ("ip6", UND06, FAR6)), flag))
    change("tcp: route with another ttl", replaced(**{ttl: 5}), proto="tcp")
    change("unrelated route", "ip route add 172.20.0.0/16 dev lan0; ip -6 route add 2001:db8:aaaa::/48 dev lan0")
    change("unrelated route, tos inherited", "ip route add 172.20.0.0/16 dev lan0", world=dict(tun=fl.under(dict(tos="0x1"), {})))
    change("unrelated route, no source", "ip route add 172.20.0.0/16 dev lan0; ip -6 route add 2001:db8:aaaa::/48 dev lan0",
           world=dict(tun=dict(src=None)))
    net_, gate, other, source = fl.under(("203.0.113.0/24", "192.0.2.2", "192.0.2.3", "198.51.100.1"),
                                         ("2001:db8:c::/64", "2001:db8:a::2", "2001:db8:a::3", "2001:db8:b::1"))
    change("underlay route: other next hop", "ip route replace %s via %s dev und0" % (net_, other))
    moved("underlay route: other device", "ip route replace %s via %s dev und1" % (net_, fl.under("198.51.100.2", "2001:db8:b::2")))
    moved("underlay route with another source", "ip route replace %s via %s dev und0 src %s" % (net_, gate, source),
          world=dict(tun=dict(src=None)))
    if fl.kind.under == 6:
        # A new address is a group joined, whose report is discarded, when the clock says so.
        joins = (r"snmp (und0 )?Ip6Out(Discards|Requests)",)
        moved("source is no longer preferred", "ip addr add 2001:db8:a::9/64 dev und0 nodad;"
              "ip addr change 2001:db8:a::1/64 dev und0 preferred_lft 0", world=dict(tun=dict(src=None)), allow=joins)
        moved("source is no longer preferred, later", [Do("ip addr add 2001:db8:a::9/64 dev und0 nodad"), up(hold=1), down(hold=1),
              Do("ip addr change 2001:db8:a::1/64 dev und0 preferred_lft 0")], world=dict(tun=dict(src=None)), fast=ANY, allow=joins)
    change("underlay route deleted", "ip route del " + net_, fast=ANY)
    change("rule", "ip rule add from 9.9.9.9 table 55; ip -6 rule add from 2001:db8:9999::9 table 55", fast=ANY)
    change("device deleted", "ip link del tun0", fast=(2, 2), tags=("quick",))
    change("device down", "ip link set tun0 down", fast=(2, 2))
    if not fl.v6:           # a new device's counters begin anew, however much it took to arm the old one
        change("device made again", "ip link del tun0; ip link add tun0 type %s; ip link set tun0 up; %s" % (made(fl), replaced()), fast=ANY)
    change("device down and up", "ip link set tun0 down; ip link set tun0 up; " + replaced(), fast=ANY)
    more_specific(fl, change)
    metadata(fl, change)


def made(fl):
    return fl.kind.link + "".join(" %s %s" % pair for pair in fl.kind.words.items()) + " external"


def more_specific(fl, change):
    """A tunnel device that says which packets it wants gets them."""
    far, router = fl.under((FAR, UND0), (FAR6, UND06))
    key = " key %d" % IN_KEY if "key" in fl.kind.gre_in else ""
    mode = {"ip6tnl": " mode any"}.get(fl.kind.link, "")
    add = "ip link add tunx type %s%s local %s remote %s%s; ip link set tunx up" % (fl.kind.link, mode, router, far, key)
    change("more specific tunnel", add, tags=("quick",))
    change("more specific tunnel comes and goes", add + "; ip link del tunx")
    change("more specific tunnel, not up", add.rsplit(";", 1)[0])
    change("more specific tunnel comes up later", [Do(add.rsplit(";", 1)[0]), up(hold=1), down(hold=1), up(), down(),
           Do("ip link set tunx up")], fast=ANY)
    change("tunnel for another far end", add.replace(far, fl.under("203.0.113.99", "2001:db8:c::99")))


def metadata(fl, change):
    """Somebody else's metadata on the device itself."""
    src, dst = fl.under((UND0, "203.0.113.77"), (UND06, "2001:db8:c::77"))
    add = ("modprobe -qa sch_ingress cls_matchall act_tunnel_key; tc qdisc add dev tun0 clsact; tc filter add dev tun0 egress matchall action tunnel_key set src_ip %s dst_ip %s id 9 ttl 7"
           % (src, dst))
    away = "tc qdisc del dev tun0 clsact"
    change("tc sets metadata", add, fast=ANY)
    change("tc set metadata for a while", [Do(add), *AFTER, Do(away)], fast=ANY)
    change("tc sets metadata, no route does", "ip %sroute replace %s dev tun0; %s" % ("-6 " * fl.v6, inside(fl), add), fast=ANY)


def keys(fl):
    """Any key comes out of the same device, and rules can ask for it: `ip rule tun_id`."""
    table = ("route add 10.1.0.0/24 via 10.1.0.3 dev lan0 table 77", "-6 route add 2001:db8:1::/64 via 2001:db8:1::3 dev lan0 table 77")
    rules = tuple("%srule add tun_id %d table 77" % (six, IN_KEY) for six in ("", "-6 "))
    fl.case("gre: rule by key", [down(), up(), down(size=9)], world=dict(setup=table + rules), fast=ANY)
    fl.case("gre: rule by key, another key", [down(), down(o_key=1), down(o_key=2), down()], world=dict(setup=table + rules), fast=ANY)
    fl.case("change: rule by key", [down(), up(), Do("; ".join("ip " + line for line in rules)), down(), up(), down(), up()],
            world=dict(setup=table, id="rule by key"), fast=ANY)
    fl.case("change: another key takes over", [down(), up()] + [down(o_key=7), up()] * 4, world=dict(id="takes over"), fast=ANY)


for _fl in FLAVOURS:
    if _fl.kind.name in CHOSEN:
        for _name, _tun in settings(_fl).items():
            header(_fl, _name, _tun)
        changes(_fl)
        strict(_fl)
        if _fl.kind.name in ("ext-ipip", "ext-gre"):
            dont_fragment(_fl)
        if "key" in (_fl.kind.gre or ()):
            keys(_fl)
