# SPDX-License-Identifier: GPL-2.0
"""Frames to fields: a walk over the headers, names for bytes, and what the
comparison of two passes may look away from."""
import socket
import struct

from . import frames as fr
from .kinds import GUE_PORT, FOU_PORTS

ERRORS = {"icmp": (3, 5, 11, 12), "icmp6": (1, 2, 3, 4)}
NAMES = {fr.UDP: "udp", fr.TCP: "tcp", fr.ICMP: "icmp", fr.ICMP6: "icmp6"}
TABLES = {
    "eth": ((0, 6, "destination mac"), (6, 6, "source mac"), (12, 2, "ethertype")),
    "ip4": ((0, 1, "version/ihl"), (1, 1, "tos"), (2, 2, "total length"), (4, 2, "id"),
            (6, 2, "flags/fragment"), (8, 1, "ttl"), (9, 1, "protocol"),
            (10, 2, "header checksum"), (12, 4, "source"), (16, 4, "destination")),
    "ip6": ((0, 4, "class/label"), (4, 2, "payload length"), (6, 1, "next header"), (7, 1, "ttl"),
            (8, 16, "source"), (24, 16, "destination")),
    "frag": ((0, 1, "next header"), (2, 2, "offset"), (4, 4, "id")),
    "ext": ((0, 1, "next header"), (1, 1, "length")),
    "gre": ((0, 2, "flags"), (2, 2, "protocol")),
    "gue": ((0, 1, "flags"), (1, 1, "protocol"), (2, 2, "options")),
    "udp": ((0, 2, "sport"), (2, 2, "dport"), (4, 2, "length"), (6, 2, "checksum")),
    "tcp": ((0, 2, "sport"), (2, 2, "dport"), (4, 4, "seq"), (8, 4, "ack"), (12, 1, "doff"),
            (13, 1, "flags"), (14, 2, "window"), (16, 2, "checksum"), (18, 2, "urgent")),
    "icmp": ((0, 1, "type"), (1, 1, "code"), (2, 2, "checksum"), (4, 4, "rest")),
    "icmp6": ((0, 1, "type"), (1, 1, "code"), (2, 2, "checksum"), (4, 4, "rest"))}


class Layer:
    """A header: what it is, where, how long; ip: the IP header it is part of."""

    def __init__(self, what, at, size, prefix, ip=None):
        self.what, self.at, self.size, self.prefix = what, at, size, prefix
        self.ip = ip or self
        self.outer = False          # of an IP header: there is a tunnel in it

    def label(self):
        if self.what in ("ip4", "ip6"):
            return "outer " if self.outer else self.prefix + "ip "
        return self.prefix + self.what + " "


class Walk:
    """The headers of a frame, as far as they can be told."""

    def __init__(self, frame):
        self.f, self.layers = frame, []
        if frame[12:14] == b"\x08\x00":
            self.ip4(14, "")
        elif frame[12:14] == b"\x86\xdd":
            self.ip6(14, "")

    def add(self, what, at, size, prefix, ip=None):
        self.layers.append(Layer(what, at, size, prefix, ip))
        return self.layers[-1]

    def ip4(self, at, prefix):
        f = self.f
        if len(f) < at + 20:
            return
        size = max((f[at] & 15) * 4, 20)
        ip = self.add("ip4", at, size, prefix)
        if struct.unpack_from("!H", f, at + 6)[0] & 0x1fff == 0:
            self.next(f[at + 9], at + size, prefix, ip)

    def ip6(self, at, prefix):
        if len(self.f) >= at + 40:
            self.next(self.f[at + 6], at + 40, prefix, self.add("ip6", at, 40, prefix))

    def next(self, proto, at, prefix, ip):
        f = self.f
        if proto in (fr.IPIP, fr.IPV6):
            ip.outer = True
            (self.ip4 if proto == fr.IPIP else self.ip6)(at, "inner ")
        elif proto == fr.GRE and len(f) >= at + 4:
            self.gre(at, prefix, ip)
        elif proto in NAMES:
            self.layer4(NAMES[proto], at, prefix, ip)
        elif ip.what == "ip6" and len(f) >= at + 8:
            self.extension(proto, at, prefix, ip)

    def extension(self, proto, at, prefix, ip):
        f = self.f
        if proto == fr.FRAGMENT:
            self.add("frag", at, 8, prefix, ip)
            if struct.unpack_from("!H", f, at + 2)[0] >> 3 == 0:
                self.next(f[at], at + 8, prefix, ip)
        elif proto in (fr.HOPOPTS, fr.ROUTING, fr.DSTOPTS):
            size = (f[at + 1] + 1) * 8
            self.add("ext", at, size, prefix, ip)
            self.next(f[at], at + size, prefix, ip)

    def gre(self, at, prefix, ip):
        f = self.f
        size = 4 + 4 * sum(f[at] >> bit & 1 for bit in (7, 5, 4))
        self.add("gre", at, size, prefix, ip)
        carried = {b"\x08\x00": self.ip4, b"\x86\xdd": self.ip6}.get(bytes(f[at + 2:at + 4]))
        if carried:
            ip.outer = True
            carried(at + size, "inner ")

    def layer4(self, what, at, prefix, ip):
        f = self.f
        self.add(what, at, {"udp": 8, "tcp": 20}.get(what, 8), prefix, ip)
        if len(f) < at + 8:
            return
        if what == "udp":
            self.in_udp(struct.unpack_from("!H", f, at + 2)[0], at + 8, prefix, ip)
        elif what in ERRORS and f[at] in ERRORS[what]:
            (self.ip4 if what == "icmp" else self.ip6)(at + 8, prefix + "quoted ")

    def in_udp(self, port, at, prefix, ip):
        if port in FOU_PORTS:
            self.next(FOU_PORTS[port], at, prefix, ip)
        elif port == GUE_PORT and len(self.f) >= at + 4:
            self.add("gue", at, 4, prefix, ip)
            self.next(self.f[at + 1], at + 4 + (self.f[at] & 31) * 4, prefix, ip)


def source(f, ip):
    return bytes(f[ip.at + 12:ip.at + 16] if ip.what == "ip4" else f[ip.at + 8:ip.at + 24])


def destination(f, ip):
    return bytes(f[ip.at + 16:ip.at + 20] if ip.what == "ip4" else f[ip.at + 24:ip.at + 40])


def ports(frame, proto):
    """(src, sport, dst, dport) of the innermost packet, if it is of that protocol."""
    layers = Walk(frame).layers
    if not layers or layers[-1].what != proto or len(frame) < layers[-1].at + 4:
        return None
    last = layers[-1]
    sport, dport = struct.unpack_from("!HH", frame, last.at)
    return fr.text(source(frame, last.ip)), sport, fr.text(destination(frame, last.ip)), dport


# ---- what the two passes may differ in -------------------------------------

class Normaliser:
    """Masks the IPv4 ID in headers that the router itself wrote, and there only:
    an ID that the router forwards must arrive unchanged. The fragments of one
    packet share an ID, so theirs becomes the order of its first appearance; IPv6's
    fragment ID likewise, whoever's. GRE's sequence numbers count from the last rebase()."""

    WRITTEN = (fr.ICMP, fr.IPIP, fr.IPV6, fr.GRE, fr.ESP)

    def __init__(self, own, ends):
        self.own, self.ends = {fr.addr(a) for a in own}, {fr.addr(a) for a in ends}
        self.ids, self.last, self.base = {}, {}, {}

    def rebase(self):
        self.base = {k: n + 1 for k, n in self.last.items()}

    def frame(self, frame, vnet=b""):
        """vnet: its virtio header, if it has one. A checksum that the device is to
        fill in is not one yet, and GRE's of a packet to be segmented is any bytes."""
        new, checks = None, []      # checksums that the bytes to come are part of
        unfilled = sum(struct.unpack("<HH", vnet[6:10])) if vnet and vnet[0] & 1 else None
        for layer in Walk(frame).layers:
            checks += [c for c in _checksum(frame, layer) if c != unfilled]
            if layer.what == "gre" and vnet and vnet[1] and frame[layer.at] & 0x80:
                new = bytearray(frame) if new is None else new
                new[layer.at + 4:layer.at + 8] = b"\0\0\0\0"
                checks.remove(layer.at + 4)
            if source(frame, layer.ip) not in self.own and layer.what != "frag":
                continue
            if new is None:
                new = bytearray(frame)
            if layer.what == "ip4":
                self.ident4(frame, new, layer)
            elif layer.what == "frag":      # conntrack puts them together, and a new ID on the pieces
                _replace(new, layer.at + 4, struct.pack("!I", self.order(
                    frame[layer.at + 4:layer.at + 8], source(frame, layer.ip))), checks)
            elif layer.what == "gre" and frame[layer.at] & 0x10 and not layer.prefix:    # another one inside is forwarded
                self.sequence(frame, new, layer, checks)
        return frame if new is None else bytes(new)

    def order(self, *ident):
        return self.ids.setdefault(ident, len(self.ids) + 1)

    def ident4(self, frame, new, ip):
        proto, at = frame[ip.at + 9], ip.at
        if proto not in self.WRITTEN and not (proto == fr.UDP and source(frame, ip) in self.ends):
            return
        ident = 0
        if struct.unpack_from("!H", frame, at + 6)[0] & 0x3fff:
            ident = self.order(frame[at + 4:at + 6] + frame[at + 9:at + 10] + frame[at + 12:at + 20])
        _replace(new, at + 4, struct.pack("!H", ident), [at + 10])     # makes up for it in all others

    def sequence(self, frame, new, gre, checks):
        at = gre.at + gre.size - 4
        if len(frame) < at + 4:
            return
        key = source(frame, gre.ip)     # a tunnel counts for all of its other ends
        seq = struct.unpack_from("!I", frame, at)[0]
        self.last[key] = seq
        base = self.base.get(key, 0)
        if seq >= base:         # else a tunnel that was made anew
            _replace(new, at, struct.pack("!I", seq - base), checks)


def _checksum(frame, layer):
    """Where a tunnel's header has a checksum of all that is in it."""
    if layer.what == "gre" and frame[layer.at] & 0x80:
        return [layer.at + 4]
    if layer.what == "udp" and layer.ip.outer and frame[layer.at + 6:layer.at + 8] != b"\0\0":
        return [layer.at + 6]
    return []


def _replace(b, at, data, checks):
    """Other bytes; the checksums stay as right or as wrong as they were (RFC 1624)."""
    for check in [c for c in checks if c + 2 <= len(b)]:
        total = ~struct.unpack_from("!H", b, check)[0] & 0xffff
        for i in range(0, len(data), 2):
            total += (~struct.unpack_from("!H", b, at + i)[0] & 0xffff) + struct.unpack_from("!H", data, i)[0]
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        struct.pack_into("!H", b, check, ~total & 0xffff)
    b[at:at + len(data)] = data


# ---- names for bytes --------------------------------------------------------

def fields(frame):
    """[(offset, length, name)] of every header field of a frame."""
    out = [(o, n, "eth " + name) for o, n, name in TABLES["eth"]]
    for layer in Walk(frame).layers:
        name = layer.label()
        out += [(layer.at + o, n, name + what) for o, n, what in TABLES[layer.what]]
        out += _more(frame, layer, name)
    return out


def _more(frame, layer, name):
    """Fields that are not always there."""
    if layer.what == "ip4" and layer.size > 20:
        return [(layer.at + 20, layer.size - 20, name + "options")]
    if layer.what == "ext":
        return [(layer.at + 2, layer.size - 2, name + "options")]
    if layer.what != "gre":
        return []
    out, at = [], layer.at + 4
    for bit, what in ((0x80, "checksum"), (0x20, "key"), (0x10, "sequence")):
        if frame[layer.at] & bit:
            out.append((at, 4, name + what))
            at += 4
    return out


def _value(b, name):
    if name.endswith(("source", "destination")) and len(b) in (4, 16):
        return fr.text(b)
    if len(b) > 4:
        return b.hex()
    n = int.from_bytes(b, "big")
    return "%d" % n if name.endswith(("ttl", "length", "port")) else "%#x" % n


def summary(frame):
    """One line about a frame."""
    if frame[12:14] == b"\x08\x06" and len(frame) >= 42:
        return "arp %s who-has %s tell %s, %d bytes" % (
            {1: "request", 2: "reply"}.get(frame[21], "?"),
            socket.inet_ntoa(frame[38:42]), socket.inet_ntoa(frame[28:32]), len(frame))
    parts = []
    for at, n, name in fields(frame):
        if name.endswith(("source", "destination", "port", "ttl", "tos", "type", "code", "class/label",
                          "flags", "protocol", "total length", "payload length", "next header")):
            parts.append("%s %s" % (name, _value(frame[at:at + n], name)))
    return "%d bytes: %s" % (len(frame), ", ".join(parts) or frame[:40].hex())


def hexdump(frame, other):
    """16 bytes a line; bytes that differ from the other frame are in [ ]."""
    lines = []
    for at in range(0, len(frame), 16):
        row = ""
        for i in range(at, min(at + 16, len(frame))):
            same = i < len(other) and frame[i] == other[i]
            row += (" %02x " if same else "[%02x]") % frame[i]
        if "[" in row or at < 64:
            lines.append("%04x %s" % (at, row))
    return lines


def explain(a, b):
    """Readable lines for two frames that should have been one."""
    names = fields(a)
    out = ["  %s: %s -> %s" % (name, _value(a[at:at + n], name), _value(b[at:at + n], name))
           for at, n, name in names if a[at:at + n] != b[at:at + n]]
    if len(a) != len(b):
        out.append("  frame length: %d -> %d" % (len(a), len(b)))
    end = max((at + n for at, n, _ in names), default=0)
    if a[end:] != b[end:] and len(a) == len(b):
        out.append("  payload differs")
    out += ["  slow " + line for line in hexdump(a, b)]
    return out + ["  fast " + line for line in hexdump(b, a)]
