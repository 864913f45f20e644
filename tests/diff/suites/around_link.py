# SPDX-License-Identifier: GPL-2.0
"""What Ethernet the packets come and go by: VLANs, bridges, bonds and the like on
either side of the router, and the tunnel's two ends unaware of it."""
import struct

from harness.engine import ANY, case
from harness.flow import Do, down, up
from harness.kinds import KINDS

MACS = {"lan0": "02:00:00:00:01:01", "und0": "02:00:00:00:02:01"}


def lan(dev, six=False):
    """`ip` lines that move the LAN's address to another device."""
    return ("link set %s addrgenmode none" % dev, "link set %s up" % dev, "addr del 10.1.0.1/24 dev lan0",
            "addr add 10.1.0.1/24 dev %s" % dev,
            "neigh add 10.1.0.2 lladdr 02:00:00:00:01:02 dev %s nud permanent" % dev) + (
            "addr del 2001:db8:1::1/64 dev lan0", "addr add 2001:db8:1::1/64 dev %s nodad" % dev,
            "neigh add 2001:db8:1::2 lladdr 02:00:00:00:01:02 dev %s nud permanent" % dev) * six


def underlay(dev, six=False):
    return ("link set %s addrgenmode none" % dev, "link set %s up" % dev, "addr del 192.0.2.1/24 dev und0",
            "addr add 192.0.2.1/24 dev %s" % dev, "route replace 203.0.113.0/24 via 192.0.2.2 dev %s" % dev,
            "neigh add 192.0.2.2 lladdr 02:00:00:00:02:02 dev %s nud permanent" % dev) + (
            "addr del 2001:db8:a::1/64 dev und0", "addr add 2001:db8:a::1/64 dev %s nodad" % dev,
            "neigh add 2001:db8:a::2 lladdr 02:00:00:00:02:02 dev %s nud permanent" % dev,
            "route replace 2001:db8:c::/64 via 2001:db8:a::2 dev %s" % dev) * six


def both(make, **how):
    return make("lan0", **how) + make("und0", **how)


def vlan(port):
    move = lan if port == "lan0" else underlay
    return ("link add link %s name %s.5 type vlan id 5" % (port, port),) + move(port + ".5")


MTUS = {"lan0": 4000, "und0": 1500}


def stacked(port, proto):
    """A VLAN in a VLAN. The second tag needs room that no device makes by itself."""
    return ("link set %s mtu %d" % (port, MTUS[port] + 4),
            "link add link %s name %s.7 up type vlan proto %s id 7" % (port, port, proto),
            "link add link %s.7 name %s.75 mtu %d up type vlan id 5" % (port, port, MTUS[port]))


def qinq(port, proto="802.1ad", six=False):
    return stacked(port, proto) + (lan if port == "lan0" else underlay)(port + ".75", six)


def priorities(port):
    """Tags whose priority follows from the packet's."""
    return ("link set %s.7 type vlan egress-qos-map 0:1 2:2 6:6" % port, "link set %s.75 type vlan egress-qos-map 0:3 2:4 6:5" % port)


def bridge(port, options="mcast_snooping 0"):
    move, dev = (lan, "br0") if port == "lan0" else (underlay, "br1")
    return ("link add %s address %s type bridge forward_delay 0 %s" % (dev, MACS[port], options),
            "link set %s master %s" % (port, dev)) + move(dev)


def bond(port):
    move, dev = (lan, "bond8") if port == "lan0" else (underlay, "bond9")
    return ("link add %s address %s type bond mode active-backup" % (dev, MACS[port]), "link set %s down" % port,
            "link set %s master %s" % (port, dev)) + move(dev)


def macvlan(port):
    move, dev = (lan, "mv0") if port == "lan0" else (underlay, "mv1")
    return ("link set %s address 02:00:00:00:0f:0%d" % (port, port == "lan0"),
            "link add link %s name %s address %s type macvlan mode bridge" % (port, dev, MACS[port])) + move(dev)


ALL = dict(client="q5", far="q5")
QINQ = "ad7 q5"
WORLDS = {
    "LAN in a VLAN": dict(setup=vlan("lan0"), ports=dict(client="q5")),
    "underlay in a VLAN": dict(setup=vlan("und0"), ports=dict(far="q5")),
    "both in VLANs": dict(setup=both(vlan), ports=ALL),
    "LAN in a bridge": dict(setup=bridge("lan0")),
    "underlay in a bridge": dict(setup=bridge("und0")),
    "both in bridges": dict(setup=both(bridge)),
    "bridge in a VLAN": dict(setup=("link add link lan0 name lan0.5 type vlan id 5", "link set lan0.5 up",
                                    "link add br0 address %s type bridge forward_delay 0 mcast_snooping 0" % MACS["lan0"],
                                    "link set lan0.5 master br0") + lan("br0"), ports=dict(client="q5")),
    "both in bridges that filter VLANs": dict(setup=bridge("lan0", "vlan_filtering 1 mcast_snooping 0") +
                                              bridge("und0", "vlan_filtering 1 mcast_snooping 0")),
    "both in bonds": dict(setup=both(bond)),
    "both in macvlans": dict(setup=both(macvlan)),
    "LAN in QinQ": dict(setup=qinq("lan0"), ports=dict(client=QINQ)),
    "underlay in QinQ": dict(setup=qinq("und0"), ports=dict(far=QINQ)),
    "both in QinQ": dict(setup=both(qinq), ports=dict(client=QINQ, far=QINQ)),
    "both in 802.1Q in 802.1Q": dict(setup=both(qinq, proto="802.1Q"), ports=dict(client="q7 q5", far="q7 q5")),
    "both in QinQ with priorities": dict(setup=both(qinq) + priorities("lan0") + priorities("und0"), ports=dict(client=QINQ, far=QINQ)),
}
QUICK = {"both in VLANs", "both in bridges", "both in QinQ"}


def cases(name, world, kind="ipip", family=4, quick=False):
    """kind, family: the tunnel, and what is in it"""
    size, world = KINDS[kind].mtu(), dict(world, kind=kind)

    def add(what, send, **how):
        case("link %s: %s" % (name, what), send, world=world, family=family, tags=("quick",) if quick else (), **how)

    add("both ways", [up(), down(), up(size=1000), down(size=1000)])
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("ECN and ttl", [up(tos=1), down(o_tos=3, tos=2), up(ttl=2), down(ttl=2)])
    add("largest", [up(full=size, df=True), down(full=size, df=True)])
    add("too large", [up(full=size + 1, df=True), up(full=size + 1)], slow="mtu")
    add("padding", [up(size=1, pad_to=60), down(size=1, pad_to=120)])
    add("other host's MAC", [up(dmac="02:00:00:00:0e:0e"), down(dmac="02:00:00:00:0e:0e")], fast=0, slow="*")


for _name, _world in WORLDS.items():
    cases(_name, _world, quick=_name in QUICK)
for _family in (4, 6):
    cases("both in QinQ, ip6gre %d" % _family, dict(setup=both(qinq, six=True), ports=dict(client=QINQ, far=QINQ)), "ip6gre", _family)

for _tos in (0x08, 0x10):
    case("link both in QinQ with priorities: TOS %#x" % _tos, [up(tos=_tos), down(tos=_tos)] * 2, base=dict(tos=_tos),
         world=WORLDS["both in QinQ with priorities"])


def tagged(*tags):
    """The connection's packets, in a VLAN that the router has no device for, or only with a priority."""
    def run(bed, flow):
        for packet in (up(), down()):
            wire, frame, _ = flow.frame(packet)
            bed.wires[wire].send(frame[:12] + b"".join(struct.pack("!HH", *tag) for tag in tags) + frame[12:])
    return Do(run)


for _name, _tags in (("another VLAN's", [(0x8100, 9)]), ("802.1ad", [(0x88a8, 9)]), ("two tags", [(0x88a8, 7), (0x8100, 5)]),
                     ("a priority only", [(0x8100, 0x6000)]), ("two priorities", [(0x88a8, 0x2000), (0x8100, 0x6000)])):
    case("link tags: " + _name, [up(), down(), tagged(*_tags), up(), down()], fast=dict(encap=2, decap=2),
         slow="irregular" if len(_tags) == 1 else "*")

# What the bridge and the VLAN device decide is asked for each packet.
FILTER = dict(setup=bridge("lan0", "vlan_filtering 1 mcast_snooping 0"))
# A bridge without a port loses its carrier, some time later.
TWO_PORTS = dict(setup=(*bridge("lan0"), "link add br0p1 type veth peer name br0p2", "link set br0p1 master br0 up", "link set br0p2 up"))
AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
for _name, _world, _what in (
        ("port leaves the bridge", TWO_PORTS, "ip link set lan0 nomaster"),
        ("bridge down", WORLDS["LAN in a bridge"], "ip link set br0 down"),
        ("bridge port blocked", WORLDS["LAN in a bridge"], "bridge link set dev lan0 state 4"),
        ("VLAN device down", WORLDS["LAN in a VLAN"], "ip link set lan0.5 down"),
        ("outer VLAN device down", WORLDS["both in QinQ"], "ip link set lan0.7 down"),
        ("outer VLAN device deleted", WORLDS["both in QinQ"], "ip link del und0.7"),
        ("inner VLAN device moves to another outer one", WORLDS["LAN in QinQ"],
         "ip link del lan0.75; ip link add link lan0 name lan0.8 up type vlan proto 802.1ad id 8; ip link add link lan0.8 name lan0.75 up "
         "type vlan id 5; ip addr add 10.1.0.1/24 dev lan0.75; ip neigh add 10.1.0.2 lladdr 02:00:00:00:01:02 dev lan0.75"),
        ("VLAN device deleted", WORLDS["both in VLANs"], "ip link del und0.5"),
        ("port leaves the VLAN", FILTER, "bridge vlan del dev lan0 vid 1"),
        ("bridge leaves the VLAN", FILTER, "bridge vlan del dev br0 vid 1 self"),
        ("port's frames get another VLAN", FILTER, "bridge vlan add dev lan0 vid 9 pvid untagged"),
        # Since Linux 7.3 a worker takes the VLAN's device down.
        ("device below goes down", WORLDS["LAN in a VLAN"],
         "ip link set lan0 down; for i in $(seq 200); do ip link show up | grep -q lan0.5 || break; sleep 0.02; done"),
        ("client moves to another port of the bridge",
         dict(WORLDS["LAN in a bridge"], setup=("link add extra0 type veth peer name extra1", "link set extra0 up",
              "link set extra1 up") + bridge("lan0") + ("link set extra0 master br0",)),
         "bridge fdb replace 02:00:00:00:01:02 dev extra0 master static")):
    case("link change: " + _name, [up(), down(), Do(_what)] + AFTER, world=dict(_world, id=_name), fast=ANY)

# Who gets a share of what comes in by lan0 after the ingress hook.
SHARES = {
    "an ipvlan elsewhere": (("ip link add link lan0 name share0 type ipvlan mode l2; ip link set share0 netns ftd-c; ip -n ftd-c link set share0 up",
                             "ip -n ftd-c addr add 10.2.0.2/32 dev share0"), "ipvlan"),
    "a macvlan of the client's": (("ip link add link lan0 name share0 type macvlan mode source; ip link set share0 up; "
                                   "ip link set link dev share0 type macvlan macaddr add 02:00:00:00:01:02",), None),
    "MACsec": (("ip link add link lan0 share0 type macsec; ip link set share0 up",), "macsec"),
}
for _name, (_steps, _needs) in SHARES.items():
    for _when, _send in (("", [Do(s) for s in _steps] + AFTER + AFTER), (", later", [up(), down()] + [Do(s) for s in _steps] + AFTER)):
        case("link: shared with %s%s" % (_name, _when), _send, fast=ANY, undo=["ip -n ftd-c link del share0 2>/dev/null || true"],
             world=dict(id="shared %s%s" % (_name, _when), needs=_needs))
