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
The wires' ends have no addresses: whatever they send was built by the harness, and
whatever they receive was sent by the router. Neighbours are permanent unless the
world says neigh="live"; then the harness answers ARP.
"""
import os
import struct
import time

from . import frames as fr
from . import net

LAN, FAR, FAR_MOVED, FAR2 = "10.1.0.1", "203.0.113.2", "203.0.113.77", "198.51.100.2"
UND0, UND1 = "192.0.2.1", "198.51.100.1"
OWN = [LAN, UND0, UND1, "10.9.0.1", "10.10.0.1", "10.77.1.2", "10.1.0.100"]    # the last two: NAT


class Site:
    """A place that packets of a flow come from: which wire, which tunnel."""

    def __init__(self, wire, addr, mac, router_mac, outer=None):
        self.wire, self.addr, self.mac = wire, addr, mac
        self.router_mac, self.outer = router_mac, outer


SITES = {
    "client": Site("client", "10.1.0.2", "02:00:00:00:01:02", "02:00:00:00:01:01"),
    "far": Site("far", "10.2.0.2", "02:00:00:00:02:02", "02:00:00:00:02:01", (FAR, UND0)),
    "far2": Site("far2", "10.3.0.2", "02:00:00:00:03:02", "02:00:00:00:03:01", (FAR2, UND1)),
    "plain": Site("far", "203.0.113.50", "02:00:00:00:02:02", "02:00:00:00:02:01"),
}
OTHER_GATEWAY = "02:00:00:00:02:03"      # 192.0.2.3, the second gateway on the underlay
NEIGHBOURS = (("10.1.0.2", "02:00:00:00:01:02", "lan0"), ("10.1.0.3", "02:00:00:00:01:03", "lan0"),
              ("10.1.0.100", "02:00:00:00:01:64", "lan0"),
              ("192.0.2.2", "02:00:00:00:02:02", "und0"), ("192.0.2.3", OTHER_GATEWAY, "und0"),
              ("198.51.100.2", "02:00:00:00:03:02", "und1"))
WORLD = dict(tun={}, tun1={}, tun_mtu=0, und_mtu=1500, lan_mtu=4000, nat=(), filter="", nft="", early="",
             sysctl={}, setup=(), neigh="static", offload=False, vnet=False, conntrack=True, plain_devices=())
SYSCTL = {"net.ipv4.ip_forward": 1, "net.ipv4.icmp_ratelimit": 0,
          "net.ipv4.icmp_msgs_per_sec": 1000000, "net.ipv4.icmp_msgs_burst": 100000,
          "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
          "net.ipv4.conf.all.send_redirects": 0, "net.ipv4.conf.default.send_redirects": 0,   # by the clock
          "net.netfilter.nf_conntrack_acct": 1, "net.ipv4.neigh.default.delay_first_probe_time": 60,
          "net.ipv4.neigh.default.base_reachable_time_ms": 600000}


def tunnel_options(defaults, given):
    """{"tos": "inherit", "pmtudisc": False, "local": None} as words of ip link."""
    words = []
    for key, value in {**defaults, **given}.items():
        if value is None:
            continue
        words += ["no" * (value is False) + key] if isinstance(value, bool) else [key, str(value)]
    return " ".join(words)


def tunnel_line(world, which):
    """The `ip` command that makes tun0 or tun1."""
    ends = {"tun0": dict(local=UND0, remote=FAR), "tun1": dict(local=UND1, remote=FAR2)}[which]
    given = world["tun" if which == "tun0" else "tun1"]
    return "link add %s type ipip %s" % (which, tunnel_options(ends, given))


def _veth(dev, mtu, mac, peer, peer_mac, ns):
    return ("link add %s address %s mtu %d type veth peer name %s address %s mtu 9000 netns %s"
            % (dev, mac, mtu, peer, peer_mac, ns))


def router_batch(world):
    """Everything `ip` has to do in the router, in one go."""
    s = SITES
    lines = [
        _veth("lan0", world["lan_mtu"], s["client"].router_mac, "c0", s["client"].mac, "ftd-c"),
        _veth("und0", world["und_mtu"], s["far"].router_mac, "f0", s["far"].mac, "ftd-f"),
        _veth("und1", world["und_mtu"], s["far2"].router_mac, "g0", s["far2"].mac, "ftd-f"),
        "addr add %s/24 dev lan0" % LAN, "addr add %s/24 dev und0" % UND0,
        "addr add %s/24 dev und1" % UND1,
        "link set lan0 up", "link set und0 up", "link set und1 up",
        "route add 203.0.113.0/24 via 192.0.2.2 dev und0",
        tunnel_line(world, "tun0"), tunnel_line(world, "tun1"),
        "addr add 10.9.0.1/30 dev tun0", "addr add 10.10.0.1/30 dev tun1",
        "link set tun0 up", "link set tun1 up"]
    if world["tun_mtu"]:
        lines.append("link set tun0 mtu %d" % world["tun_mtu"])
    lines += ["route add 10.2.0.0/16 dev tun0", "route add 10.3.0.0/16 dev tun1"]
    if world["neigh"] == "static":
        lines += ["neigh add %s lladdr %s dev %s nud permanent" % n for n in NEIGHBOURS]
    return "\n".join(lines + list(world["setup"])) + "\n"


def ruleset(world):
    """One counter that every forwarded packet crosses, then the world's rules."""
    lines = ["table ip ftd {", "counter crossed { }", world["early"], "chain forward {",
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


class Bed:
    """One freshly made copy of the drawing above."""

    def __init__(self, world, sentinel):
        self.world, self.sentinel = {**WORLD, **world}, sentinel
        self.ns = {k: net.Netns("ftd-" + k) for k in "cfr"}
        self.ns["r"].enter()
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        for name, value in SYSCTL.items():
            net.sysctl(name, value)
        net.run("ip", "-batch", "-", stdin=router_batch(self.world))
        net.run("nft", "-f", "-", stdin=ruleset(self.world))
        for name in os.listdir("/proc/sys/net/netfilter"):
            if name.startswith("nf_conntrack_") and "timeout" in name:
                net.sysctl("net.netfilter." + name, 3600)   # no entry ends by the clock
        for name, value in {**SYSCTL, **self.world["sysctl"]}.items():
            if name.startswith("net.netfilter") or name in self.world["sysctl"]:
                net.sysctl(name, value)
        self.set_offloads()
        vnet = self.world["vnet"]
        self.wires = {
            "client": net.Wire("client", self.ns["c"], "c0", SITES["client"].mac, vnet),
            "far": net.Wire("far", self.ns["f"], "f0", SITES["far"].mac, vnet),
            "far2": net.Wire("far2", self.ns["f"], "g0", SITES["far2"].mac, vnet)}
        for ns in self.ns.values():
            net.wait_links(ns)
        self.rtnl, self.nfnl = net.Netlink(0), net.Netlink(12)
        self.norm = fr.Normaliser(OWN)
        self.drain()
        self.collect()

    def set_offloads(self):
        on = self.world["offload"]
        for ns, devs in (("r", ("lan0", "und0", "und1")), ("c", ("c0",)), ("f", ("f0", "g0"))):
            with self.ns[ns]:
                for dev in devs:
                    net.offloads(dev, on and dev not in self.world["plain_devices"])

    def drain(self):
        self.sentinel.drain()

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
                    got[name].append(self.norm.frame(frame[hdr:]) + _vnet(frame[:hdr]))
            if not asked:
                return got
            self.drain()

    def answer(self, wire, frame):
        """ARP for the addresses that the drawing gives to this wire."""
        if self.world["neigh"] != "live" or frame[12:14] != b"\x08\x06" or frame[21] != 1:
            return False
        for addr, mac, dev in NEIGHBOURS:
            if fr.ip4(addr) == frame[38:42] and dev[:3] == {"client": "lan"}.get(wire.name, "und"):
                asker = ":".join("%02x" % b for b in frame[6:12])
                wire.send(fr.eth(fr.arp(2, self.macs.get(addr, mac), addr, asker,
                                        ".".join(map(str, frame[28:32]))),
                                 asker, self.macs.get(addr, mac), fr.ETH_ARP))
                return True
        return False

    macs = {}    # neighbours that have moved to another MAC

    def snapshot(self):
        snap = dict(dev=net.link_stats(self.rtnl), ct=net.conntrack(),
                    nft=net.nft_counters(self.nfnl), mod=net.module_counters())
        for name in ("snmp", "netstat", "snmp6"):
            snap[name] = net.read("/proc/net/" + name)
        return snap

    def close(self):
        for wire in getattr(self, "wires", {}).values():
            wire.close()
        for nl in ("rtnl", "nfnl"):
            if hasattr(self, nl):
                getattr(self, nl).close()
        net.go_home()
        for ns in self.ns.values():
            ns.close()


# ---- packets of a flow --------------------------------------------------------

class Pkt:
    """A packet of the case's own connection; fields by name, see frames.py:
    plain names for the inner header and layer 4, o_ for the outer header."""

    def __init__(self, way, **fields):
        self.way, self.fields = way, fields


def up(**fields):
    """From the side that opened the connection."""
    return Pkt("up", **fields)


def down(**fields):
    """The answer."""
    return Pkt("down", **fields)


class Raw:
    """A frame that belongs to no flow: wire name and bytes."""

    def __init__(self, wire, frame):
        self.wire, self.frame = wire, frame


class Do:
    """A shell command in the router, or a function of (bed, flow)."""

    def __init__(self, what):
        self.what = what


class Wait:
    def __init__(self, seconds):
        self.seconds = seconds


IP_FIELDS = ("tos", "ttl", "id", "df", "mf", "rf", "frag", "opts", "version", "ihl", "ip_len",
             "ip_csum", "src", "dst", "proto")


class Flow:
    """One connection: what it looks like on each side, where TCP stands."""

    def __init__(self, proto, path, sport, dial=None):
        self.proto, self.path = proto, path
        dst, dport = dial or (SITES[path[1]].addr, 5001)
        self.view = {"up": (SITES[path[0]].addr, sport, dst, dport), "down": None}
        self.seq = {"up": 1000, "down": 700000}

    def site(self, way):
        return SITES[self.path[way == "down"]]

    def learn(self, got):
        """The far side answers to what it has seen: NAT is whatever came out."""
        site = SITES[self.path[1]]
        for frame in got[site.wire]:
            at = 14 + (20 if site.outer else 0)
            if len(frame) >= at + 24 and frame[at + 9] == self.number():
                src, dst = (".".join(map(str, frame[at + o:at + o + 4])) for o in (12, 16))
                sport, dport = struct.unpack("!HH", frame[at + 20:at + 24])
                self.view["down"] = (dst, dport, src, sport)
                return True
        return False

    def number(self):
        return fr.TCP if self.proto == "tcp" else fr.UDP

    def kind(self, way):
        """Which counter of the module this direction moves."""
        a, b = (bool(s.outer) for s in (self.site(way), self.site("down" if way == "up" else "up")))
        return "transit" if a and b else "encap" if b else "decap"

    def layer4(self, way, f, src, dst):
        _, sport, _, dport = self.view[way]
        sport, dport = f.pop("sport", sport), f.pop("dport", dport)
        opts = {k: f.pop(k) for k in ("l4_csum", "udp_len", "flags", "window", "urg", "tcp_opts",
                                      "doff") if k in f}
        size = f.pop("size", 32)
        if "full" in f:       # total length of the inner packet
            size = f.pop("full") - 20 - (8 if self.proto == "udp" else 20)
        data = f.pop("data", None)
        data = fr.filler(size) if data is None else data
        if self.proto == "udp":
            return fr.udp(data, src, dst, sport, dport, **opts)
        return self.segment(way, f, data, src, dst, sport, dport, opts)

    def segment(self, way, f, data, src, dst, sport, dport, opts):
        flags = opts.setdefault("flags", "PA")
        if set(flags) & set("SFR") or flags == "A":
            data = b"" if "keep" not in f else data
        other = "down" if way == "up" else "up"
        skip = f.pop("dseq", None)
        seg = fr.tcp(data, src, dst, sport, dport, self.seq[way] + (skip or 0),
                     self.seq[other] + f.pop("dack", 0) if "A" in flags else 0, **opts)
        if skip is None and not f.pop("hold", False):
            self.seq[way] += len(data) + ("S" in flags) + ("F" in flags)
        return seg

    def frame(self, pkt):
        """(wire name, bytes, virtio header) of one packet."""
        f, way = dict(pkt.fields), pkt.way
        site = self.site(way)
        view = self.view[way]
        if view is None:
            raise net.HarnessError("the first packet of the connection did not arrive")
        src, dst = f.pop("src", view[0]), f.pop("dst", view[2])
        gso, partial = f.pop("gso", 0), f.pop("partial", False)
        if gso or partial:
            f["l4_csum"] = "partial"
        l4 = f.pop("l4", None) or self.layer4(way, f, src, dst)
        f.pop("keep", None)
        f.pop("hold", None)
        l4 = _piece(l4, f, "")
        proto = f.pop("proto", self.number())
        ip = {k: f.pop(k) for k in IP_FIELDS if k in f}
        packet = fr.ipv4(l4, src, dst, proto, **ip)
        if site.outer and not f.pop("bare", False):
            packet = self.outer(packet, site, f)
        f = {k: v for k, v in f.items() if not k.startswith("o_") and k != "dseq"}
        wire = f.pop("wire", site.wire)
        return wire, _link(packet, site, f), self.vnet_header(gso, partial, l4)

    def vnet_header(self, gso, partial, l4):
        """virtio's words for "segment this" and "fill in the checksum"."""
        if not gso and not partial:
            return b"\0" * 10
        tcp = self.proto == "tcp"
        head = 34 + ((l4[12] >> 4) * 4 if tcp else 8)
        kind = (1 if tcp else 5) if gso else 0
        return struct.pack("<BBHHHH", 1, kind, head if gso else 0, gso, 34, 16 if tcp else 6)

    def outer(self, packet, site, f):
        packet = _piece(packet, f, "o_")
        o = {k[2:]: f.pop(k) for k in list(f) if k.startswith("o_")}
        src, dst = o.pop("src", site.outer[0]), o.pop("dst", site.outer[1])
        return fr.ipv4(packet, src, dst, o.pop("proto", fr.IPIP), **{"id": 0x4321, **o})


def _piece(payload, f, prefix):
    """piece=(start, end): a fragment with those bytes of the payload."""
    cut = f.pop(prefix + "piece", None)
    if cut is None:
        return payload
    start, end = cut
    f[prefix + "frag"] = start // 8
    f[prefix + "mf"] = end is not None and end < len(payload)
    return payload[start:end]


def _link(packet, site, f):
    pad = f.pop("pad", b"")
    pad_to = f.pop("pad_to", 0)
    frame = fr.eth(packet, f.pop("dmac", site.router_mac), f.pop("smac", site.mac),
                   f.pop("ethertype", fr.ETH_IP)) + pad
    frame += b"\xee" * (pad_to - len(frame))
    cut = f.pop("cut", None)      # > 0: so many bytes are left; < 0: so many are lost
    if f:
        raise net.HarnessError("no such field: " + ", ".join(f))
    return frame if cut is None else frame[:cut]


WARM_UP = {
    "udp": [up(), down()] * 3,
    "tcp": [up(flags="S"), down(flags="SA"), up(flags="A"), up(), down(flags="A"), down(),
            up(flags="A"), up(), down(), up(), down(), up(flags="A")]}


def _vnet(header):
    """Without DATA_VALID: whether somebody has looked at a checksum that is in its
    place is no property of the packet."""
    return bytes([header[0] & ~2]) + header[1:] if header else b""


def gone(seconds, start):
    return time.monotonic() - start > seconds


def pin():
    """One CPU for the harness, and with it for every packet it sends."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
