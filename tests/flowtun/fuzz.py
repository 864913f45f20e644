# SPDX-License-Identifier: GPL-2.0
"""Random netlink messages, most of them nearly right. What can fail: the kernel
complains, hangs, or does not answer well-formed requests afterwards."""
import random
import struct
import time

import nl
from bed import Conn
from cases import same, tool

CMDS = list(range(0, 10)) + [255]
NESTS = (12, 2, 3)     # a rule, a tuple, a filter
WORDS = (b"", b"\0", b"tun0\0", b"miss\0", b"refuse_denied\0", b"x" * 15 + b"\0", b"y" * 40, b"lo")
EDGES = (0, 1, 2, 3, 4, 5, 6, 17, 32, 33, 128, 255, 256, 65535, 65536, 432000, 432001, 1 << 31, (1 << 32) - 1)


def value(rng):
    kind = rng.random()
    if kind < 0.4:
        return struct.pack("=I", rng.choice(EDGES))
    if kind < 0.55:
        return bytes([rng.choice((0, 1, 2, 6, 17, 32, 255))])
    if kind < 0.65:
        return struct.pack("!H", rng.choice((0, 80, 1000, 65535)))
    if kind < 0.75:
        return rng.choice(WORDS)
    if kind < 0.85:
        return struct.pack("=Q", rng.choice((0, 1, 2, 3, (1 << 64) - 1)))
    return rng.randbytes(rng.randrange(40))


def attribute(rng, depth=0):
    if depth < 3 and rng.random() < 0.3:
        body = b"".join(attribute(rng, depth + 1) for _ in range(rng.randrange(8)))
        return nl.attr(rng.choice(NESTS), body, nested=rng.random() < 0.9)
    return nl.attr(rng.randrange(20) if rng.random() < 0.95 else rng.randrange(1 << 14), value(rng))


def mutate(rng, body):
    body = bytearray(body)
    for _ in range(rng.randrange(4)):
        if body:
            body[rng.randrange(len(body))] = rng.randrange(256)
    return bytes(body[:rng.randrange(len(body) + 1)]) if rng.random() < 0.2 else bytes(body)


def message(rng):
    body = b"".join(attribute(rng) for _ in range(rng.randrange(6)))
    return mutate(rng, body) if rng.random() < 0.3 else body


def run(bed, seconds, seed):
    """random netlink messages: the kernel does not mind"""
    rng = random.Random(seed)
    conn = Conn(bed, 1000).warm()
    with bed.router:
        sock = nl.Socket()
    end, count, accepted = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        error, _, _ = sock.ask(rng.choice(CMDS), message(rng), rng.random() < 0.3)
        accepted += not error
        count += 1
        if count % 16 == 0:
            conn.talk(1)
    print("# seed %d: %d messages, %d accepted" % (seed, count, accepted))
    tool(bed, "set", "reset")
    same(tool(bed, "get"), tool(bed, "get", "--defaults"))
    if not count or accepted == count or not accepted:
        raise AssertionError("the messages are all good or all bad")
