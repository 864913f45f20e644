# SPDX-License-Identifier: GPL-2.0
"""BPF programs at netfilter's hooks and on devices, without a library for it."""
import ctypes
import os
import socket
import struct

from . import net

BPF = 321       # the system call's number on x86-64
PROG_LOAD, LINK_CREATE = 5, 28
PRIORITY = 7        # nobody else's
PROG_NETFILTER, ATTACH_NETFILTER = 32, 45
PROG_XDP, ATTACH_XDP, SKB_MODE = 6, 37, 2
XDP = "XDP"
NEEDS = "BPF at netfilter's hooks"
DROP = struct.pack("<BBhi", 0xb7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)        # r0 = NF_DROP; exit
XDP_DROP = struct.pack("<BBhi", 0xb7, 0, 0, 1) + DROP[8:]


def _call(command, attributes):
    buf = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    fd = ctypes.CDLL(None, use_errno=True).syscall(BPF, command, buf, 128)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "bpf(%d)" % command)
    return fd


def load(program, kind=PROG_NETFILTER, where=ATTACH_NETFILTER):
    code, gpl = ctypes.create_string_buffer(program), ctypes.create_string_buffer(b"GPL")
    return _call(PROG_LOAD, struct.pack("<IIQQIIQII16sII", kind, len(program) // 8, ctypes.addressof(code), ctypes.addressof(gpl),
                                        0, 0, 0, 0, 0, b"", 0, where))


def attach(ns, family, hook, program=DROP):
    """Returns the link, which holds as long as it is open."""
    prog = load(program)
    try:
        with ns:
            return _call(LINK_CREATE, struct.pack("<IIIIIIiI", prog, 0, ATTACH_NETFILTER, 0, family, hook, PRIORITY, 0))
    finally:
        os.close(prog)


def attach_xdp(ns, dev):
    """Drop all that a device receives, in the kernel's own way. Returns the link likewise."""
    prog = load(XDP_DROP, PROG_XDP, ATTACH_XDP)
    try:
        with ns:
            return _call(LINK_CREATE, struct.pack("<IIII", prog, socket.if_nametoindex(dev), ATTACH_XDP, SKB_MODE))
    finally:
        os.close(prog)


def loads(*program):
    try:
        os.close(load(*program))
        return True
    except OSError:
        return False


net.FEATURES[NEEDS] = lambda: loads(DROP)
net.FEATURES[XDP] = lambda: loads(XDP_DROP, PROG_XDP, ATTACH_XDP)
