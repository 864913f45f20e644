# SPDX-License-Identifier: GPL-2.0
r"""The test bed: three namespaces, a router in the middle, bare wires around it.

   ftd-c (client)        ftd-r (router)                        ftd-f (far)
  +-----------+   LAN   +--------------------------+ underlay +--------------+
  |     c0 ---|---------|-- lan0            und0 --|----------|-- f0         |
  | 10.1.0.2  |         | 10.1.0.1     192.0.2.1   |          | 192.0.2.2 (gateway to
  +-----------+         |                          |          |  203.0.113.2, the far
                        |   tun0  10.9.0.1         |          |  end of tun0; inside it
                        |   192.0.2.1 => 203.0.113.2          |  10.2.0.0/16)
                        |                          |          |              |
                        |   tun1  10.10.0.1        |          |              |
                        |   198.51.100.1 => 198.51.100.2      |              |
                        |                   und1 --|----------|-- g0         |
                        |            198.51.100.1  |          | 198.51.100.2 (inside
                        +--------------------------+          |  tun1: 10.3.0.0/16)
                                                              +--------------+
IPv6, in all worlds whose kind of tunnel has to do with it:
   client 2001:db8:1::2, lan0 2001:db8:1::1     und0 2001:db8:a::1, gateway 2001:db8:a::2
   tun0 2001:db8:9::1, from 2001:db8:a::1 to 2001:db8:c::2 if its outer header is IPv6;
        inside it 2001:db8:2::/48
   tun1 2001:db8:10::1, from 2001:db8:b::1 to 2001:db8:b::2; inside it 2001:db8:3::/48
What kind of tunnel tun0 and tun1 are is the world's "kind" (and "kind1"): kinds.py.

The wires' ends have no addresses: whatever they send was built by the harness, and
whatever they receive was sent by the router. Neighbours are permanent unless the
world says neigh="live"; then the harness answers ARP and solicitations.
"""
import itertools
import os
import time

from . import dissect, layers, net, secret
from . import frames as fr
from .kinds import pair
from .sites import ENDS, LAN, LAN6, NEIGHBOURS, NEIGHBOURS6, OWN, SITES, UND0, UND06, UND1, UND16

WORLD = dict(kind="ipip", kind1="", dual=None, tun={}, tun1={}, tun_mtu=0, und_mtu=1500, lan_mtu=4000, nat=(), filter="", nft="", early="",
             sysctl={}, setup=(), neigh="static", offload=False, vnet=False, conntrack=True, plain_devices=(), ports={}, plain=False, needs="",
             secret=())
SYSCTL = {"net.ipv4.ip_forward": 1, "net.ipv4.icmp_ratelimit": 0,
          "net.ipv4.icmp_msgs_per_sec": 1000000, "net.ipv4.icmp_msgs_burst": 100000,
          "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
          "net.ipv4.conf.all.send_redirects": 0, "net.ipv4.conf.default.send_redirects": 0,   # by the clock
          "net.netfilter.nf_conntrack_acct": 1, "net.ipv4.neigh.default.delay_first_probe_time": 60, "net.ipv4.neigh.default.locktime": 0,
          "net.ipv4.neigh.default.base_reachable_time_ms": 600000, "net.ipv4.igmp_qrv": 1}


def tunnel_options(defaults, given):
    """{"tos": "inherit", "pmtudisc": False, "local": None} as words of ip link."""
    words = []
    for key, value in {**defaults, **given}.items():
        if value is None:
            continue
        words += ["no" * (value is False) + key] if isinstance(value, bool) else [key, str(value)]
    return " ".join(words)


def dual(world):
    """Does the router speak IPv6?"""
    return world["dual"] if world["dual"] is not None else world["kind"] != "ipip" or bool(world["kind1"])


def tunnel_line(world, which):
    """The `ip` command that makes tun0 or tun1."""
    kind, given, far, router = tunnel_ends(world, which)
    return "link add %s type %s %s" % (which, kind.link, tunnel_options(kind.options(which, router, far), {} if kind.external else given))


def tunnel_ends(world, which):
    """(kind, what the world says of it, far end, the router's)"""
    one, other = pair(world)
    kind, site, given = {"tun0": (one, SITES["far"], world["tun"]), "tun1": (other, SITES["far2"], world["tun1"])}[which]
    return (kind, given) + site.outers[kind.under]


def inside(world, dev, family):
    """The way to what is inside. An external tunnel's header is in the route."""
    kind, given, far, router = tunnel_ends(world, dev)
    words, lines = kind.hop(dev, family, far)
    return lines + ["route add %s %s%s" % (INSIDE[dev][family][1], kind.encap(router, far, given), words)]


# The kernel is in no hurry with a link whose two ends have the same number: it takes them
# for one device with nothing below it (linkwatch_urgent_event()). So the numbers differ.
INDEX = {"lan0": 11, "und0": 12, "und1": 13, "c0": 101, "f0": 102, "g0": 103}


def _veth(dev, mtu, mac, peer, peer_mac, ns):
    return ("link add %s index %d address %s mtu %d type veth peer name %s index %d address %s mtu 9000 group %d netns %s"
            % (dev, INDEX[dev], mac, mtu, peer, INDEX[peer], peer_mac, net.GROUP, ns))


def devices(world):
    s = SITES
    return [_veth("lan0", world["lan_mtu"], s["client"].router_mac, "c0", s["client"].mac, "ftd-c"),
            _veth("und0", world["und_mtu"], s["far"].router_mac, "f0", s["far"].mac, "ftd-f"),
            _veth("und1", world["und_mtu"], s["far2"].router_mac, "g0", s["far2"].mac, "ftd-f"),
            "addr add %s/24 dev lan0" % LAN, "addr add %s/24 dev und0" % UND0,
            "addr add %s/24 dev und1" % UND1] + [
            "addr add %s/64 dev %s nodad" % (addr, dev) for addr, dev in (
                (LAN6, "lan0"), (UND06, "und0"), (UND16, "und1"), ("fe80::1", "lan0"), ("fe80::a", "und0"), ("fe80::b", "und1"))
            if dual(world)] + [
            "link set lan0 up", "link set und0 up", "link set und1 up",
            "route add 203.0.113.0/24 via 192.0.2.2 dev und0"] + [
            "route add 2001:db8:c::/64 via 2001:db8:a::2 dev und0"] * dual(world)


INSIDE = {"tun0": {4: ("10.9.0.1/30", "10.2.0.0/16"), 6: ("2001:db8:9::1/64", "2001:db8:2::/48")},
          "tun1": {4: ("10.10.0.1/30", "10.3.0.0/16"), 6: ("2001:db8:10::1/64", "2001:db8:3::/48")}}


def tunnels(world):
    both = dict(zip(("tun0", "tun1"), pair(world)))
    lines = list(dict.fromkeys(line for kind in both.values() for line in kind.underlay() + kind.setup()))
    lines += [tunnel_line(world, dev) for dev in both]
    lines += ["addr add %s dev %s%s" % (INSIDE[dev][f][0], dev, " nodad" * (f == 6))
              for dev, kind in both.items() for f in kind.inner]
    lines += ["link set tun0 up", "link set tun1 up"]
    mtu = world["tun_mtu"] or (both["tun0"].external and both["tun0"].mtu())   # an external device knows of no key
    if mtu:
        lines.append("link set tun0 mtu %d" % mtu)
    return lines + [line for dev, kind in both.items() for f in kind.inner for line in inside(world, dev, f)]


def router_batch(world):
    """Everything `ip` has to do in the router; what needs `ip -6` says so. And PPPoE sessions, which are none of its lines."""
    lines = devices(world) + tunnels(world)
    if world["neigh"] == "static":
        lines += ["neigh add %s lladdr %s dev %s nud permanent" % n
                  for n in NEIGHBOURS + NEIGHBOURS6 * dual(world)]
    return lines + list(world["setup"])


# Nobody asked for these, and when they are sent depends on the clock.
QUIET6 = """chain quiet {
 type filter hook output priority -300;
 icmpv6 type { mld-listener-report, mld2-listener-report, mld-listener-done } drop
}"""


def ruleset(world):
    """One counter that every forwarded packet crosses, then the world's rules."""
    lines = ["table %s ftd {" % ("inet" if dual(world) else "ip"), "counter crossed { }", world["early"],
             QUIET6 * dual(world), "chain forward {",
             "type filter hook forward priority 0; policy accept;", "counter name crossed"]
    if world["conntrack"]:
        lines.append("ct state established counter")
    lines += [world["filter"], "}"]
    for chain, hook, prio in (("pre", "prerouting", -100), ("post", "postrouting", 100)):
        rules = [r for r in world["nat"] if r.startswith(chain + " ")]
        if rules:
            lines += ["chain %s {" % chain, "type nat hook %s priority %d;" % (hook, prio)]
            lines += [r.split(" ", 1)[1] for r in rules] + ["}"]
    return "\n".join(lines + ["}", world["nft"]]) + "\n"


SYSCTL6 = {"disable_ipv6": 0, "forwarding": 1, "accept_dad": 0, "dad_transmits": 0, "accept_ra": 0,
           "addr_gen_mode": 1, "mldv1_unsolicited_report_interval": 1, "mldv2_unsolicited_report_interval": 1}


def batch(lines):
    """Lines of `ip` in one go, those that need `ip -6` in another."""
    six = [line[3:] for line in lines if line[:3] == "-6 "]
    net.run("ip", "-batch", "-", stdin="".join(line + "\n" for line in lines if line[:3] != "-6 "))
    if six:
        net.run("ip", "-6", "-batch", "-", stdin="".join(line + "\n" for line in six))


class Bed:
    """One freshly made copy of the drawing above. Of the ends, if bare says that they are
    no more than their wires, the namespaces are the last bed's: it takes as long to make one as
    all devices that are in it."""
    kept = {}

    def __init__(self, world, sentinel, bare=False):
        self.world, self.sentinel = {**WORLD, **world}, sentinel
        self.bare = bare and not self.world["ports"] and not self.world["secret"]
        if not self.bare:
            drop_kept()
        self.ns = {k: Bed.kept.pop(k, None) or net.Netns("ftd-" + k) for k in "cfr"}
        self.sessions, self.taps = {}, []
        self.ns["r"].enter()
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        for name, value in SYSCTL.items():
            net.sysctl(name, value)
        self.bridges_alone()
        self.dual = dual(self.world)
        if self.dual:
            self.speak_ipv6()
        for lines, group in itertools.groupby(router_batch(self.world), lambda step: isinstance(step, str)):
            if lines:
                batch(list(group))
            else:
                self.sessions.update((session.dev, session.open()) for session in group)
        if self.dual:
            self.ask_once()
        net.nft(ruleset(self.world))
        for name in os.listdir("/proc/sys/net/netfilter"):
            if name.startswith("nf_conntrack_") and "timeout" in name:
                net.sysctl("net.netfilter." + name, 3600)   # no entry ends by the clock
        for name, value in {**SYSCTL, **self.world["sysctl"]}.items():
            if name.startswith("net.netfilter") or name in self.world["sysctl"]:
                net.sysctl(name, value)
        self.set_offloads()
        if self.world["plain"] and os.path.exists("/sys/module/nf_flowtable_tun"):
            net.run(os.path.join(os.environ.get("FTUN_MODULES", ""), "flowtun"), "set", "plain", "yes")
        self.wires = {name: self.wire(name, ns, dev)
                      for name, ns, dev in (("client", "c", "c0"), ("far", "f", "f0"), ("far2", "f", "g0"))}
        for ns in self.ns.values():
            net.wait_links(ns)
        self.below = secret.Below(self, *self.world["secret"]) if self.world["secret"] else None
        self.rtnl, self.nfnl = net.Netlink(0), net.Netlink(12)
        self.texts = {name: net.Text("/proc/net/" + name) for name in ("snmp", "netstat", "snmp6", "xfrm_stat")}
        self.norm = dissect.Normaliser(OWN, ENDS)
        self.seqs = {}
        self.settle()
        self.drain()
        self.collect()

    def speak_ipv6(self):
        """Without a word that nobody asked for: no addresses made up, no DAD."""
        for name, value in SYSCTL6.items():
            for dev in ("default", "all"):
                net.sysctl("net.ipv6.conf.%s.%s" % (dev, name), value)
        net.sysctl("net.ipv6.icmp.ratelimit", 0)
        net.sysctl("net.ipv6.mld_qrv", 1)

    def ask_once(self):
        """Who does not answer a solicitation is not asked again, which would be by the clock."""
        for dev in ("lan0", "und0", "und1"):
            for name, value in (("delay_first_probe_time", 60), ("base_reachable_time_ms", 600000), ("retrans_time_ms", 600000)):
                net.sysctl("net.ipv6.neigh.%s.%s" % (dev, name), value)

    def settle(self):
        """What IPv6 has to say about a change, it says within a few ticks of the kernel's clock."""
        if self.dual:
            time.sleep(6 * net.TICK)
            net.idle()

    def bridges_alone(self):
        """A kernel with br_netfilter shows bridged packets to conntrack before the
        bridge's own device has them, unless it is told not to."""
        for name in ("iptables", "ip6tables"):
            if os.path.exists("/proc/sys/net/bridge/bridge-nf-call-" + name):
                net.sysctl("net.bridge.bridge-nf-call-" + name, 0)

    def wire(self, name, ns, dev):
        """An end of a wire, or of something on top of it: ports={"client": "q5"} is VLAN 5, see layers.py,
        and lines of `ip` make another device called over, whose own headers are looked at too. None of them: a device without a wire."""
        port = self.world["ports"].get(name, ())
        if port is None:
            return net.Tun(name, self.ns["r"], "ltun", SITES[name].mac, self.world["vnet"])
        if isinstance(port, str):
            return layers.Layered(name, self.ns[ns], dev, SITES[name].mac, port)
        if port:
            with self.ns[ns]:
                if name in self.world["secret"]:
                    secret.speak_ipv6(dev)
                net.up(dev)
                batch(port)
            if name not in self.world["secret"]:
                self.taps.append(layers.Tap(name, self.ns[ns], dev))
            dev = "over"
        if name in self.world["secret"]:
            return secret.Wire(name, self.ns[ns], dev, SITES[name].mac)
        return net.Wire(name, self.ns[ns], dev, SITES[name].mac, self.world["vnet"])

    def set_offloads(self):
        on = self.world["offload"]
        for ns, devs in (("r", ("lan0", "und0", "und1")), ("c", ("c0",)), ("f", ("f0", "g0"))):
            with self.ns[ns]:
                for dev in devs:
                    net.offloads(dev, on and dev not in self.world["plain_devices"])

    def drain(self):
        self.sentinel.drain()
        if self.below:
            self.below.drain(self.sentinel.drain)

    def collect(self):
        """Normalised frames since the last call, by wire; answers ARP if asked to."""
        got = {name: [] for name in self.wires}
        while True:
            asked = False
            for name, wire in self.wires.items():
                for frame in wire.take():
                    asked |= self.answer(wire, frame)
                    hdr = 10 if wire.vnet else 0
                    # virtio's header goes to the end, where no field has its offset moved
                    got[name].append(self.norm.frame(frame[hdr:], frame[:hdr]) + _vnet(frame[:hdr]))
            if not asked:
                got.update((tap.name, tap.take()) for tap in self.taps)
                return {**got, **self.below.take()} if self.below else got
            self.drain()

    def answer(self, wire, frame):
        """ARP or a solicitation for the addresses that the drawing gives to this wire."""
        if self.world["neigh"] != "live":
            return False
        if frame[12:14] == b"\x86\xdd" and frame[20] == fr.ICMP6 and frame[54:55] == b"\x87":
            return self.advertise(wire, frame)
        if frame[12:14] != b"\x08\x06" or frame[21] != 1:
            return False
        for addr, mac, dev in NEIGHBOURS:
            if fr.ip4(addr) == frame[38:42] and dev[:3] == {"client": "lan"}.get(wire.name, "und"):
                asker = ":".join("%02x" % b for b in frame[6:12])
                wire.send(fr.eth(fr.arp(2, self.macs.get(addr, mac), addr, asker,
                                        ".".join(map(str, frame[28:32]))),
                                 asker, self.macs.get(addr, mac), fr.ETH_ARP))
                return True
        return False

    def advertise(self, wire, frame):
        for addr, mac, dev in NEIGHBOURS6:
            if fr.addr(addr) == frame[62:78] and dev[:3] == {"client": "lan"}.get(wire.name, "und"):
                asker = ":".join("%02x" % b for b in frame[6:12])
                mac = self.macs.get(addr, mac)
                wire.send(fr.eth(fr.advert(mac, addr, fr.text(frame[22:38])), asker, mac, fr.ETH_IP6))
                return True
        return False

    macs = {}    # neighbours that have moved to another MAC

    def snapshot(self, conntrack=True):
        snap = dict(dev=net.link_stats(self.rtnl), ct=net.conntrack(self.nfnl) if conntrack else {},
                    nft=net.nft_counters(self.nfnl), mod=net.read(net.MODULE))
        snap.update((name, text.read()) for name, text in self.texts.items())
        snap["dev6"] = net.dev_snmp6() if self.dual else {}
        return snap

    def close(self):
        for wire in list(getattr(self, "wires", {}).values()) + self.taps + list(filter(None, [getattr(self, "below", None)])):
            wire.close()
        for session in self.sessions.values():
            session.close()
        for text in getattr(self, "texts", {}).values():
            text.close()
        for nl in ("rtnl", "nfnl"):
            if hasattr(self, nl):
                getattr(self, nl).close()
        net.go_home()
        for k, ns in self.ns.items():
            if self.bare and k != "r":
                ns.empty()
                Bed.kept[k] = ns
            else:
                ns.close()


def drop_kept():
    while Bed.kept:
        Bed.kept.popitem()[1].close()


def _vnet(header):
    """Without DATA_VALID: whether somebody has looked at a checksum that is in its
    place is no property of the packet."""
    return bytes([header[0] & ~2]) + header[1:] if header else b""


def gone(seconds, start):
    return time.monotonic() - start > seconds


def pin():
    """One CPU for the harness, and with it for every packet it sends."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
