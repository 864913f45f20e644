# SPDX-License-Identifier: GPL-2.0
"""Generic netlink without a library, so that wrong messages can be sent as well."""
import os
import re
import socket
import struct

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../include/uapi/linux/nf_flowtable_tun.h")
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_ACK_TLVS = 1, 4, 0x300, 0x200
NLM_F_CAPPED = 0x100
NLMSG_ERROR, NLMSG_DONE, NLA_NESTED = 2, 3, 0x8000


def constants():
    """Every enumerator of the UAPI header with its value."""
    with open(HEADER, encoding="ascii") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    found = {}
    for body in re.findall(r"enum \w* ?\{(.*?)\};", text, re.S):
        value = -1
        for item in filter(None, (i.strip() for i in body.split(","))):
            name, _, given = (part.strip() for part in item.partition("="))
            if given:
                value = eval(given, {"__builtins__": {}}, found)
            else:
                value += 1
            found[name] = value
    return found


K = constants()


def attr(kind, payload, nested=False):
    kind = (K[kind] if isinstance(kind, str) else kind) | (NLA_NESTED if nested else 0)
    return struct.pack("=HH", 4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def u8(kind, value):
    return attr(kind, struct.pack("=B", value))


def u16(kind, value):
    return attr(kind, struct.pack("=H", value))


def be16(kind, value):
    return attr(kind, struct.pack("!H", value))


def u32(kind, value):
    return attr(kind, struct.pack("=I", value))


def u64(kind, value):
    return attr(kind, struct.pack("=Q", value))


def ip4(kind, text):
    return attr(kind, socket.inet_aton(text))


def text(kind, value):
    return attr(kind, value.encode() + b"\0")


def flag(kind):
    return attr(kind, b"")


def nest(kind, *attrs):
    return attr(kind, b"".join(attrs), nested=True)


def attributes(data):
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        yield kind & 0x3fff, data[at + 4:at + length]
        at += (length + 3) & ~3


class Socket:
    """Talks to the family, in the network namespace that it was made in."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.bind((0, 0))
        self.sock.setsockopt(270, 11, 1)       # SOL_NETLINK, NETLINK_EXT_ACK
        self.sock.setsockopt(270, 10, 1)       # NETLINK_CAP_ACK
        self.seq = 1
        self.family, self.group = 0, 0
        self.resolve()

    def resolve(self):
        error, _, answers = self.ask(3, attr(2, b"nf_flowtun\0"), family=16)
        if error:
            raise OSError(error, "no such family")
        for kind, value in attributes(answers[0][4:]):
            if kind == 1:
                self.family = struct.unpack("=H", value)[0]
            if kind == 7:
                for _, group in attributes(value):
                    self.group = struct.unpack("=I", dict(attributes(group))[2])[0]

    def send(self, cmd, body=b"", dump=False, family=None, version=1):
        self.seq += 1
        flags = NLM_F_REQUEST | (NLM_F_DUMP if dump else NLM_F_ACK)
        payload = struct.pack("=BBH", cmd, version, 0) + body
        self.sock.send(struct.pack("=IHHII", 16 + len(payload), family or self.family, flags, self.seq, 0) + payload)

    def ask(self, cmd, body=b"", dump=False, family=None):
        """(errno, text, [answer with its generic header])"""
        self.send(cmd, body, dump, family)
        answers = []
        while True:
            data, at = self.sock.recv(1 << 20), 0
            while at + 16 <= len(data):
                length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data, at)
                payload = data[at + 16:at + length]
                at += (length + 3) & ~3
                if seq != self.seq:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return self.ending(kind, flags, payload) + (answers,)
                answers.append(payload)

    @staticmethod
    def ending(kind, flags, payload):
        error = -struct.unpack_from("=i", payload)[0] if len(payload) >= 4 else 0
        skip = 4
        if kind == NLMSG_ERROR:
            skip = 20
            if not flags & NLM_F_CAPPED:
                skip += struct.unpack_from("=I", payload, 4)[0] - 16
        said = ""
        if flags & NLM_F_ACK_TLVS:
            said = dict(attributes(payload[(skip + 3) & ~3:])).get(1, b"").rstrip(b"\0").decode()
        return max(error, 0), said

    def join(self):
        self.sock.setsockopt(270, 1, self.group)       # NETLINK_ADD_MEMBERSHIP
