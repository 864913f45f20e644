# SPDX-License-Identifier: GPL-2.0
"""What README.md tells a new user to type, typed as it stands there."""
import os
import re

import reasons
from cases import has, is_fast, same, settled, tool

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")


def section():
    """From the first steps to what comes after their explanation."""
    with open(README, encoding="utf-8") as file:
        text = file.read()
    return text[text.index("**From modprobe to knowing what is fast.**"):].split("\nEvery name such as")[0]


def commands():
    block = re.search(r"\n\n((?:    .*\n)+)", section()).group(1)
    return [line.split("#")[0].strip() for line in block.splitlines()]


def first_steps(bed):
    """README: from modprobe to knowing what is fast, line by line"""
    conn = settled(bed)
    said = {}
    for line in commands():
        code, out, err = bed.run("sh", "-c", line)
        same((code, err), (0, ""), line)
        said[line] = out
    same([line.split()[1] for line in said if line.startswith("flowtun")], ["check", "show", "why", "flows", "why"])
    # User-Mode Linux has neither a file of options nor headers.
    same({line.split()[1] for line in said["flowtun check"].splitlines() if not line.startswith("ok ")} - {"kernel", "headers"}, set())
    has(said["flowtun show"], "armed        yes")
    has(said["flowtun why tun0"], "2 directions armed")
    has(said["flowtun flows"], "10.1.0.2:1000 -> 10.2.0.2:80 armed")
    same(said["flowtun why udp 10.1.0.2:1000 10.2.0.2:80"].count("    fast for "), 2)
    reasons.ttl_one(bed, conn)
    same(is_fast(bed, conn), True)
    shown = re.search(r"((?:       .*pass_ttl.*\n)(?:       .*\n)*)", section()).group(1)
    text = tool(bed, "why", *conn.words())
    for line in shown.splitlines():
        has(text, line.strip())
    has(text, "its last packet that was left to the slow path, ")


TESTS = [first_steps]
