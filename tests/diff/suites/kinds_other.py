# SPDX-License-Identifier: GPL-2.0
"""Devices that are tunnels too, but not of the module's kinds, as the other leg of a
connection through one that is, or below it. The wire is inside of them."""
from harness import net
from harness.engine import ANY, case
from harness.flow import Do, down, up
from harness.kinds import KINDS
from .around_link import lan, underlay


OPTIONS = {"gretap": "local {here} remote {there}", "vxlan": "id 9 local {here} remote {there} dstport 4789",
           "geneve": "id 9 remote {there}"}
MACS = {"lan0": ("02:00:00:00:01:01", "02:00:00:00:01:02"), "und0": ("02:00:00:00:02:01", "02:00:00:00:02:02")}


def end(name, on, kind, macs, here, there):
    """One end of it, on that device. Inside, the two ends are what they are on the bare wire."""
    return ("addr add %s/24 dev %s" % (here, on), "neigh add %s lladdr %s dev %s nud permanent" % (there, macs[1], on),
            "link add %s address %s type %s %s" % (name, macs[0], kind, OPTIONS[kind].format(here=here, there=there)),
            "link set %s mtu 1500 up" % name)


def over(kind, port, on, far, move, tunnel="ipip"):
    """A router whose wire there has one of those on it."""
    net, six = {"lan0": "10.8.0.", "und0": "10.8.1."}[on], KINDS[tunnel].under == 6
    return dict(kind=tunnel, needs=kind, und_mtu=1700, tun_mtu=KINDS[tunnel].mtu(),
                ports={port: end("over", far, kind, MACS[on][::-1], net + "2", net + "1")},
                setup=end("over0", on, kind, MACS[on], net + "1", net + "2") + move("over0", six))


# A device without Ethernet, as OpenVPN and WireGuard have them.
LAN_IN_TUN = dict(needs="tun", ports=dict(client=None), setup=(
    "tuntap add dev ltun mode tun", "link set ltun addrgenmode none up", "link set lan0 down", "addr del 10.1.0.1/24 dev lan0",
    "addr add 10.1.0.1/24 dev ltun"))


def worlds():
    for kind in OPTIONS:
        yield "LAN in " + kind, over(kind, "client", "lan0", "c0", lan)
        yield "underlay in " + kind, over(kind, "far", "und0", "f0", underlay)
    yield "LAN in tun", LAN_IN_TUN


def cases(name, world, **which):
    def add(what, send, **how):
        case("other %s: %s" % (name, what), send, world=world, **which, **how)

    add("both ways", [f(size=n) for n in (0, 1, 32, 900) for f in (up, down)], tags=("quick",))
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("ECN and ttl", [up(tos=1), down(o_tos=3, tos=2), up(ttl=2), down(ttl=2)])
    add("ttl 1", [up(ttl=1), down(ttl=1)], slow="ttl")
    add("largest", [up(full=1480, df=True), down(full=1480, df=True)])
    add("too large", [up(full=1481, df=True), up(full=1481)], slow="mtu")


for _name, _world in worlds():
    cases(_name, _world)

# Where the other end is follows from the route: there is no harm in that, and none in another route.
_NEXTHOP = dict(setup=("link del tun0", "link add tun0 type ipip local 192.0.2.1", "link set tun0 up", "addr add 10.9.0.1/30 dev tun0",
                       "route add 10.2.0.0/16 via 203.0.113.2 dev tun0 onlink"))
cases("IPIP by next hop", _NEXTHOP)
case("other IPIP by next hop: next hop changes",
     [up(), down(), Do("ip route replace 10.2.0.0/16 via 203.0.113.77 dev tun0 onlink"), up(), up(), down(o_src="203.0.113.77"), down()],
     world=dict(_NEXTHOP, id="next hop"), fast=ANY)

# The other end's address is part of the inner one: RFC 3056, RFC 5969.
for _name, _net, _prefix, _options in (("6to4", "2002::/16", "2002:cb00:7102", ""),
                                       ("6rd", "2001:db9::/32", "2001:db9:cb00:7102", " 6rd-prefix 2001:db9::/32")):
    cases(_name, dict(kind="sit", setup=("link del tun0", "link add tun0 type sit local 192.0.2.1 ttl 64" + _options,
                                         "link set tun0 up", "route add %s dev tun0" % _net)),
          family=6, dial=(_prefix + "::2", 5001))

# ---- what goes by a packet's hash: the slow path has asked for it before the outer header was on ----------

HASHED = ("ipip", "sit", "gre-key", "fou-ipip", "gue-sit", "fou-gre-port", "ip6ip6", "ipip6", "ip6gre-key", "fou-ip6gre", "gue-ip6ip6",
          "ext-gre-key")
NESTED = ("link add nest0 type ipip local 192.0.2.1 remote 192.0.2.9 encap fou encap-sport auto encap-dport 5504", "link set nest0 up",
          "neigh add 192.0.2.9 lladdr 02:00:00:00:02:02 dev und0 nud permanent", "route replace 203.0.113.0/24 dev nest0")
PACKETS = [up(), up(size=1), down(), up(size=700), down()]


def ports_by_hash(name, world, families):
    for family in families:
        for proto in ("udp", "tcp"):
            case("hash: %s, %s in %d" % (name, proto, family), PACKETS, world=world, family=family,
                 proto=proto)


for _kind in HASHED:
    for _below in OPTIONS:
        ports_by_hash("%s over %s" % (_kind, _below), over(_below, "far", "und0", "f0", underlay, _kind), KINDS[_kind].inner)
    if KINDS[_kind].under == 4 and not KINDS[_kind].udp:
        ports_by_hash("%s over FOU" % _kind, dict(kind=_kind, setup=NESTED, tun_mtu=1400), KINDS[_kind].inner)


def by_two(policy, under):
    """A bond of both underlay wires."""
    return ("link add bond9 address %s type bond mode balance-xor xmit_hash_policy %s" % (MACS["und0"][0], policy),
            *underlay("bond9", under == 6), "link set und0 down", "link set und1 down", "link set und0 master bond9",
            "link set und1 master bond9")


for _kind in ("ipip", "gre-key", "fou-ipip", "ip6ip6", "ip6gre-key"):
    for _policy in ("encap3+4", "layer3+4"):
        _world = dict(kind=_kind, setup=by_two(_policy, KINDS[_kind].under))
        for _n in range(6):
            case("hash: %s, bond by %s, %d" % (_kind, _policy, _n), PACKETS, world=_world,
                 family=KINDS[_kind].inner[0], tags=("quick",) if (_kind, _policy) == ("ipip", "encap3+4") else ())

# sysfs tells of it in another way than netlink does.
for _how, _change in (("netlink", "ip link set bond9 type bond xmit_hash_policy %s"),
                      ("sysfs", "mkdir -p /tmp/sys && mount -t sysfs sys /tmp/sys && "
                                "echo %s >/tmp/sys/class/net/bond9/bonding/xmit_hash_policy; umount /tmp/sys")):
    for _n in range(6):
        case("hash: ipip, bond told by %s to go by it, %d" % (_how, _n),
             [up(), down(), Do(_change % "encap3+4"), up(), up(), up(size=1), down()], world=dict(setup=by_two("layer3+4", 4), id=_how),
             fast=dict(encap=3, decap=1), undo=(_change % "layer3+4",))


# A packet can come with a hash or without, and with NAT the one that it came with is not the one that it would get.
def fq(on):
    """The client's own qdisc gives packets one, as its sockets would."""
    def run(bed, flow):
        with bed.ns["c"]:
            net.shell("modprobe -q sch_fq; tc qdisc replace dev c0 root fq" if on else "tc qdisc del dev c0 root")
    return Do(run)


NEW_RULES = Do("nft 'add table ip another'")
def some_hashed(name, world, family):
    world, how = dict(world, nat=["post oifname tun0 masquerade"]), dict(family=family, fast=ANY)
    case("hash: %s, some packets come with one" % name, [fq(True), up(), up(), up(), fq(False), up(), up(), down()], world=world, **how)
    case("hash: %s, those that prove it come with one" % name, [fq(True), NEW_RULES, up(), up(), fq(False), up(), up(), down()],
         world=dict(world, id="hashed"), **how)


for _kind in ("fou-ipip", "gue-sit", "fou-gre", "gue-gre-csum", "fou-ip6ip6", "ip6ip6", "ipip6", "ip6gre"):
    some_hashed(_kind, dict(kind=_kind), KINDS[_kind].inner[0])
for _kind in ("ipip", "ip6ip6"):
    some_hashed(_kind + " over vxlan", over("vxlan", "far", "und0", "f0", underlay, _kind), KINDS[_kind].inner[0])
