# SPDX-License-Identifier: GPL-2.0
"""What Ethernet the packets come and go by: VLANs, bridges, bonds and the like on
either side of the router, and the tunnel's two ends unaware of it."""
from harness.engine import ANY, case
from harness.flow import Do, down, up

MACS = {"lan0": "02:00:00:00:01:01", "und0": "02:00:00:00:02:01"}


def lan(dev):
    """`ip` lines that move the LAN's address to another device."""
    return ("link set %s addrgenmode none" % dev, "link set %s up" % dev, "addr del 10.1.0.1/24 dev lan0",
            "addr add 10.1.0.1/24 dev %s" % dev,
            "neigh add 10.1.0.2 lladdr 02:00:00:00:01:02 dev %s nud permanent" % dev)


def underlay(dev):
    return ("link set %s addrgenmode none" % dev, "link set %s up" % dev, "addr del 192.0.2.1/24 dev und0",
            "addr add 192.0.2.1/24 dev %s" % dev, "route replace 203.0.113.0/24 via 192.0.2.2 dev %s" % dev,
            "neigh add 192.0.2.2 lladdr 02:00:00:00:02:02 dev %s nud permanent" % dev)


def both(make):
    return make("lan0") + make("und0")


def vlan(port):
    move = lan if port == "lan0" else underlay
    return ("link add link %s name %s.5 type vlan id 5" % (port, port),) + move(port + ".5")


def qinq(port):
    move = lan if port == "lan0" else underlay
    return ("link add link %s name %s.7 type vlan proto 802.1ad id 7" % (port, port), "link set %s.7 up" % port,
            "link add link %s.7 name %s.75 type vlan id 5" % (port, port)) + move(port + ".75")


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


ALL = dict(client="5", far="5")
WORLDS = {
    "LAN in a VLAN": dict(setup=vlan("lan0"), ports=dict(client="5")),
    "underlay in a VLAN": dict(setup=vlan("und0"), ports=dict(far="5")),
    "both in VLANs": dict(setup=both(vlan), ports=ALL),
    "LAN in a bridge": dict(setup=bridge("lan0")),
    "underlay in a bridge": dict(setup=bridge("und0")),
    "both in bridges": dict(setup=both(bridge)),
    "bridge in a VLAN": dict(setup=("link add link lan0 name lan0.5 type vlan id 5", "link set lan0.5 up",
                                    "link add br0 address %s type bridge forward_delay 0 mcast_snooping 0" % MACS["lan0"],
                                    "link set lan0.5 master br0") + lan("br0"), ports=dict(client="5")),
    "both in bridges that filter VLANs": dict(setup=bridge("lan0", "vlan_filtering 1 mcast_snooping 0") +
                                              bridge("und0", "vlan_filtering 1 mcast_snooping 0")),
    "both in bonds": dict(setup=both(bond)),
    "both in macvlans": dict(setup=both(macvlan)),
}
QUICK = {"both in VLANs", "both in bridges"}


def cases(name, world):
    def add(what, send, **how):
        case("link %s: %s" % (name, what), send, world=world, tags=("quick",) if name in QUICK else (), **how)

    add("both ways", [up(), down(), up(size=1000), down(size=1000)])
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("ECN and ttl", [up(tos=1), down(o_tos=3, tos=2), up(ttl=2), down(ttl=2)])
    add("largest", [up(full=1480, df=True), down(full=1480, df=True)])
    add("too large", [up(full=1481, df=True), up(full=1481)], slow="mtu")
    add("padding", [up(size=1, pad_to=60), down(size=1, pad_to=90)])
    add("other host's MAC", [up(dmac="02:00:00:00:0e:0e"), down(dmac="02:00:00:00:0e:0e")], fast=0, slow="*")


for _name, _world in WORLDS.items():
    cases(_name, _world)

# What the bridge and the VLAN device decide is asked for each packet.
FILTER = dict(setup=bridge("lan0", "vlan_filtering 1 mcast_snooping 0"))
AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
for _name, _world, _what in (
        ("port leaves the bridge", WORLDS["LAN in a bridge"], "ip link set lan0 nomaster"),
        ("bridge down", WORLDS["LAN in a bridge"], "ip link set br0 down"),
        ("bridge port blocked", WORLDS["LAN in a bridge"], "bridge link set dev lan0 state 4"),
        ("VLAN device down", WORLDS["LAN in a VLAN"], "ip link set lan0.5 down"),
        ("VLAN device deleted", WORLDS["both in VLANs"], "ip link del und0.5"),
        ("port leaves the VLAN", FILTER, "bridge vlan del dev lan0 vid 1"),
        ("bridge leaves the VLAN", FILTER, "bridge vlan del dev br0 vid 1 self"),
        ("port's frames get another VLAN", FILTER, "bridge vlan add dev lan0 vid 9 pvid untagged"),
        ("device below goes down", WORLDS["LAN in a VLAN"], "ip link set lan0 down"),
        ("client moves to another port of the bridge",
         dict(WORLDS["LAN in a bridge"], setup=("link add extra0 type veth peer name extra1", "link set extra0 up",
              "link set extra1 up") + bridge("lan0") + ("link set extra0 master br0",)),
         "bridge fdb replace 02:00:00:00:01:02 dev extra0 master static")):
    case("link change: " + _name, [up(), down(), Do(_what)] + AFTER, world=dict(_world, id=_name), fast=ANY)
