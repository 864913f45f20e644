# SPDX-License-Identifier: GPL-2.0
"""Fields to frames: builders that take any field wrong. An address with a colon
makes its header an IPv6 one; tos and ttl mean traffic class and hop limit there."""
import functools
import socket
import struct

ETH_IP, ETH_ARP, ETH_IP6 = 0x0800, 0x0806, 0x86dd
ICMP, IPIP, TCP, UDP, IPV6, GRE, ESP, ICMP6 = 1, 4, 6, 17, 41, 47, 50, 58
HOPOPTS, ROUTING, FRAGMENT, DSTOPTS = 0, 43, 44, 60
TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}


@functools.cache
def ip4(text):
    return socket.inet_aton(text)


@functools.cache
def addr(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def text(address):
    return socket.inet_ntop(socket.AF_INET6 if len(address) == 16 else socket.AF_INET, bytes(address))


@functools.cache
def mac(text):
    return bytes.fromhex(text.replace(":", ""))


@functools.lru_cache(1000)
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


def ipv6(payload, src, dst, proto, tos=0, ttl=64, flow=0, ext=(), frag=None, mf=False, id=0x1234,
         version=6, ip_len=None):
    """An IPv6 packet. ext: [(type, bytes without the next header and length
    fields)]; frag or mf puts in a fragment header."""
    chain = list(ext)
    if frag is not None or mf:
        chain.append((FRAGMENT, struct.pack("!HI", (frag or 0) << 3 | mf, id)))
    body, after = payload, proto
    for kind, data in reversed(chain):
        size = 0 if kind == FRAGMENT else (len(data) + 9) // 8 - 1
        data += b"\0" * (size * 8 + 6 - len(data))
        body, after = struct.pack("!BB", after, size) + data + body, kind
    word = (version << 28) | (tos << 20) | flow
    return struct.pack("!IHBB16s16s", word, len(body) if ip_len is None else ip_len, after, ttl,
                       addr(src), addr(dst)) + body


def ip(payload, src, dst, proto, **fields):
    """A packet of the addresses' family; what that family does not have is left out."""
    if ":" not in src:
        return ipv4(payload, src, dst, proto, **{k: v for k, v in fields.items() if k not in ("flow", "ext")})
    return ipv6(payload, src, dst, proto, **{k: v for k, v in fields.items()
                                             if k not in ("df", "rf", "ihl", "ip_csum", "opts")})


def encap_limit(limit):
    """The destination option that limits how often a packet may be put into a tunnel."""
    return DSTOPTS, bytes([4, 1, limit, 1, 1, 0])


def gre(payload, proto, key=None, seq=None, csum_=None, flags=None, version=0):
    """csum_: None is no checksum, True the right one, "bad" a wrong one; flags: another first byte."""
    bits = (csum_ is not None) << 7 | (key is not None) << 5 | (seq is not None) << 4
    head = struct.pack("!BBH", bits if flags is None else flags, version, proto)
    rest = (b"" if key is None else struct.pack("!I", key)) + (b"" if seq is None else struct.pack("!I", seq & 0xffffffff))
    if csum_ is None:
        return head + rest + payload
    right = csum(head + b"\0" * 4 + rest + payload)
    return head + struct.pack("!HH", _checksum(None if csum_ is True else csum_, right), 0) + rest + payload


def gue(payload, proto, head=None):
    """Generic UDP encapsulation without options; head: four other bytes."""
    return (struct.pack("!BBH", 0, proto, 0) if head is None else head) + payload


@functools.lru_cache(1000)
def _pseudo(src, dst, proto, length):
    data = addr(src) + addr(dst) + struct.pack("!HH", proto, length)
    return sum(struct.unpack("!%dH" % (len(data) // 2), data))


@functools.lru_cache(1000)       # the two passes send the same
def udp(data, src, dst, sport, dport, l4_csum=None, udp_len=None):
    """l4_csum=0: sent without a checksum; "partial": left to the device."""
    length = 8 + len(data) if udp_len is None else udp_len
    head = struct.pack("!HHHH", sport, dport, length, 0)
    if l4_csum == "partial":
        l4_csum = ~csum(b"", _pseudo(src, dst, UDP, 8 + len(data))) & 0xffff
    right = csum(head + data, _pseudo(src, dst, UDP, 8 + len(data))) or 0xffff
    return head[:6] + struct.pack("!H", _checksum(l4_csum, right)) + data


@functools.lru_cache(1000)
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


def icmp6(type, code, src, dst, rest=b"\0\0\0\0", data=b"", l4_csum=None):
    head = struct.pack("!BBH", type, code, 0) + rest
    right = csum(head + data, _pseudo(src, dst, ICMP6, len(head) + len(data)))
    return head[:2] + struct.pack("!H", _checksum(l4_csum, right)) + rest + data


def eth(payload, dst, src, ethertype=ETH_IP):
    return mac(dst) + mac(src) + struct.pack("!H", ethertype) + payload


def arp(op, smac, sip, tmac, tip):
    return struct.pack("!HHBBH6s4s6s4s", 1, ETH_IP, 6, 4, op, mac(smac), ip4(sip),
                       mac(tmac), ip4(tip))


def advert(smac, src, dst, override=True):
    """A neighbour advertisement: the answer to a solicitation, or none asked for."""
    data = addr(src) + b"\2\1" + mac(smac)
    message = icmp6(136, 0, src, dst, bytes([0x40 | override << 5, 0, 0, 0]), data)
    return ipv6(message, src, dst, ICMP6, ttl=255)


_FILLER = bytes((i * 7 + 13) & 0xff for i in range(256))


def filler(size):
    """Bytes that show at sight where they have been shifted or cut."""
    return (_FILLER * (size // 256 + 1))[:size]
