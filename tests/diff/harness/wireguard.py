# SPDX-License-Identifier: GPL-2.0
"""WireGuard's settings by its netlink, as `wg set` makes them: Debian's small
systems have the device but not the tool."""
import os
import socket
import struct

from . import net

# Private keys of nobody, and the public ones that belong to them.
KEYS = {"near": (b"\1" * 32, bytes.fromhex("a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209")),
        "far": (b"\2" * 32, bytes.fromhex("ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59"))}
PORT = 51820
REPLACE_PEERS, REMOVE_PEER, REPLACE_ALLOWED = 1, 1, 2       # flags: of the device; of a peer
NESTED = 0x8000


def attr(kind, data):
    return struct.pack("HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def allowed(net_):
    """An address range that a peer may use."""
    address, bits = net_.split("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return attr(NESTED, attr(1, struct.pack("H", family)) + attr(2, socket.inet_pton(family, address)) +
                attr(3, struct.pack("B", int(bits))))


def ask(sock, kind, command, body):
    """A request, and what it was answered."""
    body = struct.pack("BBxx", command, 1) + body
    sock.send(struct.pack("IHHII", 16 + len(body), kind, 5, 1, 0) + body)       # request, acknowledged
    answer = sock.recv(1 << 16)
    kind, error = struct.unpack_from("H", answer, 4)[0], struct.unpack_from("i", answer, 16)[0]
    if kind == 2 and error:
        raise net.HarnessError("WireGuard: %s" % os.strerror(-error))
    return answer


def send(body):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as sock:
        family = net.attributes(ask(sock, 16, 3, attr(2, b"wireguard\0"))[20:])[1]
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as sock:
        ask(sock, struct.unpack("H", family)[0], 1, body)


def start(dev, own, other, address):
    """The device and its one peer, who may send whatever it likes."""
    peer = attr(1, KEYS[other][1]) + attr(4, struct.pack("H", socket.AF_INET) + struct.pack("!H", PORT) +
                                          socket.inet_aton(address) + b"\0" * 8)
    peer += attr(9 | NESTED, allowed("0.0.0.0/0") + allowed("::/0"))
    send(attr(2, dev.encode() + b"\0") + attr(3, KEYS[own][0]) + attr(6, struct.pack("H", PORT)) +
         attr(5, struct.pack("I", REPLACE_PEERS)) + attr(8 | NESTED, attr(NESTED, peer)))


def narrow(dev, other, *ranges):
    """The peer may use these addresses only."""
    peer = attr(1, KEYS[other][1]) + attr(3, struct.pack("I", REPLACE_ALLOWED))
    peer += attr(9 | NESTED, b"".join(map(allowed, ranges)))
    send(attr(2, dev.encode() + b"\0") + attr(8 | NESTED, attr(NESTED, peer)))


def remove(dev, other):
    peer = attr(1, KEYS[other][1]) + attr(3, struct.pack("I", REMOVE_PEER))
    send(attr(2, dev.encode() + b"\0") + attr(8 | NESTED, attr(NESTED, peer)))
