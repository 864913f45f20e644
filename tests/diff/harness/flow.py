# SPDX-License-Identifier: GPL-2.0
"""The steps of a case, and the connection whose packets it sends."""
import struct

from . import dissect
from . import frames as fr
from . import net
from .kinds import pair
from .sites import SITES


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
             "ip_csum", "src", "dst", "proto", "flow", "ext")
L4_FIELDS = ("l4_csum", "udp_len", "flags", "window", "urg", "tcp_opts", "doff")


class Flow:
    """One connection: what it looks like on each side, where TCP stands. seqs: the
    numbers that GRE packets from the far ends have next, shared by a router's flows."""

    def __init__(self, proto, path, sport, dial=None, family=4, world=None, seqs=None):
        self.proto, self.path, self.family = proto, path, family
        self.kinds = dict(zip(("tun0", "tun1"), pair(world or {})))
        dst, dport = dial or (SITES[path[1]].addrs[family], 5001)
        self.view = {"up": (SITES[path[0]].addrs[family], sport, dst, dport), "down": None}
        self.seq = {"up": 1000, "down": 700000}
        self.seqs = {} if seqs is None else seqs

    def site(self, way):
        return SITES[self.path[way == "down"]]

    def learn(self, got):
        """The far side answers to what it has seen: NAT is whatever came out. Of a bond's two wires, by either."""
        wire = self.site("down").wire
        for frame in got[wire] + got["far2"] * (wire == "far"):
            seen = dissect.ports(frame, self.proto)
            if seen:
                src, sport, dst, dport = seen
                self.view["down"] = (dst, dport, src, sport)
                return True
        return False

    def number(self):
        return fr.TCP if self.proto == "tcp" else fr.UDP

    def counter(self, way):
        """Which counter of the module this direction moves."""
        a, b = (bool(s.tun) for s in (self.site(way), self.site("down" if way == "up" else "up")))
        return "transit" if a and b else "encap" if b else "decap" if a else "plain"

    def layer4(self, way, f, src, dst):
        _, sport, _, dport = self.view[way]
        sport, dport = f.pop("sport", sport), f.pop("dport", dport)
        opts = {k: f.pop(k) for k in L4_FIELDS if k in f}
        size = f.pop("size", 32)
        if "full" in f:       # total length of the inner packet
            size = f.pop("full") - {4: 20, 6: 40}[self.family] - (8 if self.proto == "udp" else 20)
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
        deep = f.pop("deep", None)
        if gso or partial:
            f["l4_csum"] = "partial"
        l4 = f.pop("l4", None) or self.layer4(way, f, src, dst)
        f.pop("keep", None)
        f.pop("hold", None)
        l4 = _piece(l4, f)
        proto = f.pop("proto", self.number())
        ip = {k: f.pop(k) for k in IP_FIELDS if k in f}
        packet, family = fr.ip(l4, src, dst, proto, **ip), self.family
        if site.tun and not f.pop("bare", False):
            packet, family = self.outer(packet, site, f), self.kinds[site.tun].under
        f = {k: v for k, v in f.items() if not k.startswith("o_") and k != "dseq"}
        wire = f.pop("wire", site.wire)
        f.setdefault("ethertype", fr.ETH_IP if family == 4 else fr.ETH_IP6)
        return wire, _link(packet, site, f), self.vnet_header(gso, partial, l4, deep)

    def vnet_header(self, gso, partial, l4, deep=None):
        """virtio's words for "segment this" and "fill in the checksum"; deep: of a header further in, (its place, the sum's in it)."""
        if deep:
            return struct.pack("<BBHHHH", 1, 0, 0, 0, *deep)
        if not gso and not partial:
            return b"\0" * 10
        tcp, start = self.proto == "tcp", {4: 34, 6: 54}[self.family]
        head = start + ((l4[12] >> 4) * 4 if tcp else 8)
        kind = ({4: 1, 6: 4}[self.family] if tcp else 5) if gso else 0
        return struct.pack("<BBHHHH", 1, kind, head if gso else 0, gso, start, 16 if tcp else 6)

    def outer(self, packet, site, f):
        """The packet in its tunnel, as the far end sends it."""
        kind = self.kinds[site.tun]
        o = {k[2:]: f.pop(k) for k in list(f) if k.startswith("o_")}
        src, dst = o.pop("src", site.outers[kind.under][0]), o.pop("dst", site.outers[kind.under][1])
        seq = self.sequence(kind, site.tun, o)
        payload, proto = kind.wrap(packet, self.family, src, dst, o, seq)
        payload = _piece(payload, o)
        return fr.ip(payload, src, dst, o.pop("proto", proto), **{"id": 0x4321, **o})

    def sequence(self, kind, tun, o):
        """The next GRE sequence number, or one that is so much off; o_seq is any other."""
        off = o.pop("dseq", 0)
        if "seq" not in kind.gre_in or "seq" in o:
            return 0
        if o.get("piece", (0,))[0]:
            off = -1                # the rest of a packet that has its number
        seq = self.seqs.get(tun, 1) + off
        if off >= 0:
            self.seqs[tun] = seq + 1
        return seq


def _piece(payload, f):
    """piece=(start, end): a fragment with those bytes of the payload."""
    cut = f.pop("piece", None)
    if cut is None:
        return payload
    start, end = cut
    f["frag"] = start // 8
    f["mf"] = end is not None and end < len(payload)
    return payload[start:end]


def _link(packet, site, f):
    pad = f.pop("pad", b"")
    pad_to = f.pop("pad_to", 0)
    frame = fr.eth(packet, f.pop("dmac", site.router_mac), f.pop("smac", site.mac),
                   f.pop("ethertype")) + pad
    frame += b"\xee" * (pad_to - len(frame))
    cut = f.pop("cut", None)      # > 0: so many bytes are left; < 0: so many are lost
    if f:
        raise net.HarnessError("no such field: " + ", ".join(f))
    return frame if cut is None else frame[:cut]


WARM_UP = {
    "udp": [up(), down()] * 3,
    "tcp": [up(flags="S"), down(flags="SA"), up(flags="A"), up(), down(flags="A"), down(),
            up(flags="A"), up(), down(), up(), down(), up(flags="A")]}
