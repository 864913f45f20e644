# SPDX-License-Identifier: GPL-2.0
"""Bytes to frames and back: builders with any field wrong, a decoder that
names the bytes, and the one normalisation that the comparison allows."""
import socket
import struct

ETH_IP, ETH_ARP = 0x0800, 0x0806
ICMP, IPIP, TCP, UDP = 1, 4, 6, 17
TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}


def ip4(text):
    return socket.inet_aton(text)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def csum(data, start=0):
    """The Internet checksum, as a number ready to be stored."""
    if len(data) & 1:
        data += b"\0"
    total = start + sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def _checksum(given, right):
    """None: the right one; "bad": one that is wrong; a number: that."""
    if given is None:
        return right
    return right ^ 0x1234 if given == "bad" else given


def ipv4(payload, src, dst, proto, tos=0, ttl=64, id=0x1234, df=False,
         mf=False, rf=False, frag=0, opts=b"", version=4, ihl=None,
         ip_len=None, ip_csum=None):
    """An IPv4 packet; frag is the offset in units of 8 bytes."""
    opts += b"\0" * (-len(opts) % 4)
    words = 5 + len(opts) // 4
    total = words * 4 + len(payload) if ip_len is None else ip_len
    off = frag | df << 14 | mf << 13 | rf << 15
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | (words if ihl is None else ihl),
                       tos, total, id, off, ttl, proto, 0, ip4(src), ip4(dst)) + opts
    check = _checksum(ip_csum, csum(head))
    return head[:10] + struct.pack("!H", check) + head[12:] + payload


def _pseudo(src, dst, proto, length):
    return sum(struct.unpack("!HHHHHH", ip4(src) + ip4(dst) +
                             struct.pack("!HH", proto, length)))


def udp(data, src, dst, sport, dport, l4_csum=None, udp_len=None):
    """l4_csum=0: sent without a checksum; "partial": left to the device."""
    length = 8 + len(data) if udp_len is None else udp_len
    head = struct.pack("!HHHH", sport, dport, length, 0)
    if l4_csum == "partial":
        l4_csum = ~csum(b"", _pseudo(src, dst, UDP, 8 + len(data))) & 0xffff
    right = csum(head + data, _pseudo(src, dst, UDP, 8 + len(data))) or 0xffff
    return head[:6] + struct.pack("!H", _checksum(l4_csum, right)) + data


def tcp(data, src, dst, sport, dport, seq=0, ack=0, flags="A", window=65535,
        urg=0, l4_csum=None, tcp_opts=b"", doff=None):
    tcp_opts += b"\1" * (-len(tcp_opts) % 4)
    words = 5 + len(tcp_opts) // 4 if doff is None else doff
    bits = sum(TCP_FLAGS[f] for f in flags)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff,
                       words << 4, bits, window, 0, urg) + tcp_opts
    if l4_csum == "partial":
        l4_csum = ~csum(b"", _pseudo(src, dst, TCP, len(head) + len(data))) & 0xffff
    right = csum(head + data, _pseudo(src, dst, TCP, len(head) + len(data)))
    return head[:16] + struct.pack("!H", _checksum(l4_csum, right)) + head[18:] + data


def icmp(type, code, rest=b"\0\0\0\0", data=b"", l4_csum=None):
    head = struct.pack("!BBH", type, code, 0) + rest
    return head[:2] + struct.pack("!H", _checksum(l4_csum, csum(head + data))) + rest + data


def eth(payload, dst, src, ethertype=ETH_IP):
    return mac(dst) + mac(src) + struct.pack("!H", ethertype) + payload


def arp(op, smac, sip, tmac, tip):
    return struct.pack("!HHBBH6s4s6s4s", 1, ETH_IP, 6, 4, op, mac(smac), ip4(sip),
                       mac(tmac), ip4(tip))


def filler(size):
    """Bytes that show at sight where they have been shifted or cut."""
    return bytes((i * 7 + 13) & 0xff for i in range(size))


# ---- what the two passes may differ in -------------------------------------

class Normaliser:
    """Masks the IPv4 ID in headers that the router itself wrote, and there only:
    an ID that the router forwards must arrive unchanged. The fragments of one
    packet share an ID, so theirs becomes the order of its first appearance."""

    def __init__(self, own):
        self.own = {ip4(a) for a in own}
        self.seen = {}

    def frame(self, frame):
        if len(frame) < 34 or frame[12:14] != b"\x08\x00":
            return frame
        return frame[:14] + self.packet(frame[14:])

    def packet(self, p):
        """One IPv4 packet and those inside it."""
        if len(p) < 20 or p[0] >> 4 != 4:
            return p
        hlen = (p[0] & 15) * 4
        if hlen < 20 or len(p) < hlen:
            return p
        off = struct.unpack("!H", p[6:8])[0]
        head, body = p[:hlen], p[hlen:]
        first = off & 0x1fff == 0
        if p[9] == IPIP and first:
            body = self.packet(body)
        elif p[9] == ICMP and first and p[12:16] in self.own:
            body = self.quote(body)
        if p[12:16] in self.own and p[9] in (IPIP, ICMP):
            head = self.mask(head, off & 0x3fff)
        return head + body

    def quote(self, body):
        """An ICMP error that quotes a header of the router's own."""
        if len(body) < 28 or body[0] not in (3, 5, 11, 12):
            return body
        good = csum(body) == 0
        inner = body[8:]
        if inner[12:16] not in self.own or inner[9] != IPIP:
            return body
        new = body[:8] + self.packet(inner)
        if good:
            new = new[:2] + b"\0\0" + new[4:]
            new = new[:2] + struct.pack("!H", csum(new)) + new[4:]
        return new

    def mask(self, head, fragment):
        """Zero the ID; a header checksum that was wrong must stay visible."""
        good = csum(head) == 0
        ident = 0
        if fragment:
            ident = self.seen.setdefault(head[4:6] + head[9:10] + head[12:20],
                                         len(self.seen) + 1)
        head = head[:4] + struct.pack("!H", ident) + head[6:10] + b"\0\0" + head[12:]
        check = csum(head) if good else 0xbad0
        return head[:10] + struct.pack("!H", check) + head[12:]


# ---- names for bytes --------------------------------------------------------

_IP = ((0, 1, "version/ihl"), (1, 1, "tos"), (2, 2, "total length"), (4, 2, "id"),
       (6, 2, "flags/fragment"), (8, 1, "ttl"), (9, 1, "protocol"),
       (10, 2, "header checksum"), (12, 4, "source"), (16, 4, "destination"))
_UDP = ((0, 2, "sport"), (2, 2, "dport"), (4, 2, "length"), (6, 2, "checksum"))
_TCP = ((0, 2, "sport"), (2, 2, "dport"), (4, 4, "seq"), (8, 4, "ack"), (12, 1, "doff"),
        (13, 1, "flags"), (14, 2, "window"), (16, 2, "checksum"), (18, 2, "urgent"))
_ICMP = ((0, 1, "type"), (1, 1, "code"), (2, 2, "checksum"), (4, 4, "rest"))
_ETH = ((0, 6, "destination mac"), (6, 6, "source mac"), (12, 2, "ethertype"))


def fields(frame):
    """[(offset, length, name)] of every header field of a frame."""
    out = [(o, n, "eth " + name) for o, n, name in _ETH]
    if frame[12:14] == b"\x08\x00":
        _ip_fields(frame, 14, "", out)
    return out


def _ip_fields(f, at, prefix, out):
    if len(f) < at + 20:
        return
    hlen, proto = (f[at] & 15) * 4, f[at + 9]
    first = struct.unpack("!H", f[at + 6:at + 8])[0] & 0x1fff == 0
    name = "outer " if proto == IPIP else prefix + "ip "
    out += [(at + o, n, name + what) for o, n, what in _IP]
    if hlen > 20:
        out.append((at + 20, hlen - 20, name + "options"))
    at += max(hlen, 20)
    if not first:
        return
    if proto == IPIP:
        _ip_fields(f, at, "inner ", out)
    elif proto in (UDP, TCP, ICMP):
        label, table = {UDP: ("udp ", _UDP), TCP: ("tcp ", _TCP), ICMP: ("icmp ", _ICMP)}[proto]
        out += [(at + o, n, prefix + label + what) for o, n, what in table]
        if proto == ICMP and len(f) > at and f[at] in (3, 5, 11, 12):
            _ip_fields(f, at + 8, prefix + "quoted ", out)


def _value(b, name):
    if name.endswith(("source", "destination")) and len(b) == 4:
        return socket.inet_ntoa(b)
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
        if name.endswith(("source", "destination", "port", "ttl", "tos", "type", "code",
                          "flags", "protocol", "total length")):
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
