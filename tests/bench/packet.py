# SPDX-License-Identifier: GPL-2.0
"""Frames for the injector, with the offsets that tell it how to vary them."""
import ipaddress
import struct

ETH = 14
UDP, TCP, ICMP, ICMP6 = 17, 6, 1, 58
TCP_SYN, TCP_ACK = 0x02, 0x10


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def raw(address):
    return ipaddress.ip_address(address).packed


def family(address):
    return ipaddress.ip_address(address).version


def ip(src, dst, proto, payload, length=None):
    """An IP packet of either family; @length if data follows elsewhere."""
    length = len(payload) if length is None else length
    if family(src) == 6:
        return struct.pack("!IHBB", 6 << 28, length, proto, 64) + raw(src) + raw(dst) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0x4321, 0x4000, 64, proto, 0, raw(src), raw(dst))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def pseudo(src, dst, proto, length):
    return raw(src) + raw(dst) + struct.pack("!II", length, proto)


def udp(src, dst, sport, dport, data):
    length = 8 + len(data)
    header = struct.pack("!HHH", sport, dport, length)
    check = checksum(pseudo(src, dst, UDP, length) + header + b"\0\0" + data)
    return ip(src, dst, UDP, header + struct.pack("!H", check or 0xffff) + data)


def tcp(src, dst, sport, dport, flags, seq, ack, data=b"", tail=0):
    """With @tail the checksum is as for CHECKSUM_PARTIAL, and so many bytes follow."""
    length = 20 + len(data) + tail
    head = struct.pack("!HHIIBBH", sport, dport, seq, ack, 5 << 4, flags, 65535)
    whole = pseudo(src, dst, TCP, length)
    check = ~checksum(whole) & 0xffff if tail else checksum(whole + head + b"\0\0\0\0" + data)
    return ip(src, dst, TCP, head + struct.pack("!HH", check, 0) + data, length)


def echo(src, dst):
    """An ICMP or ICMPv6 echo request."""
    proto, kind, start = (ICMP, 8, b"") if family(src) == 4 else (ICMP6, 128, pseudo(src, dst, ICMP6, 26))
    data = b"x" * 18
    check = checksum(start + struct.pack("!BBHHH", kind, 0, 0, 1, 1) + data)
    return ip(src, dst, proto, struct.pack("!BBHHH", kind, 0, check, 1, 1) + data)


def ether(dst, src, packet, ethertype=None):
    if ethertype is None:
        ethertype = 0x0800 if packet[0] >> 4 == 4 else 0x86dd
    return bytes.fromhex((dst + src).replace(":", "")) + struct.pack("!H", ethertype) + packet


def flow_words(frame, inner, to_client):
    """Where a UDP frame has the client's port and address, and what makes up for them:
    the IPv4 ID and two bytes of data. @inner is the offset of the inner IP header."""
    old = frame[inner] >> 4 == 4
    l4 = inner + (20 if old else 40)
    if old:
        addr = inner + (18 if to_client else 14)
    else:
        addr = inner + (38 if to_client else 22)
    return {"port": l4 + (2 if to_client else 0), "addr": addr,
            "fix3": inner + 4 if old else 0, "fix4": l4 + 8}
