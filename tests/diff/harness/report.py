# SPDX-License-Identifier: GPL-2.0
"""Results as JSON, for scripts/kinds-doc."""
import json
import os

from .kinds import KINDS

FEATURES = ("header", "ECN", "frame", "twin", "gre", "udp", "gue", "size", "pmtu", "underlay", "tcp", "nat", "gso",
            "transit", "change", "stream", "fuzz")
LABELS = sorted(((label, kind.name, family) for kind in KINDS.values() for label, family in kind.families), reverse=True)


def place(name):
    """(kind, inner family, what it is about) of a case, by its name; of no kind alone: (None, None, what)."""
    for label, kind, family in LABELS:
        if name.startswith(label + " "):
            about = name[len(label) + 1:]
            for old, new in (("decap ECN", "ECN"), ("transit ECN", "ECN"), ("opened from", "header"),
                             ("not answered", "header"), ("decap not", "header"), ("fuzz", "fuzz")):
                if about.startswith(old):
                    return kind, family, new
            word = about.split()[0].rstrip(":")
            return kind, family, word if word in FEATURES else "header"
    return None, None, name.split(":")[0]


class Report:
    def __init__(self, path):
        self.path, self.results = path, []

    def add(self, name, complaints, fast):
        where = place(name)
        if not self.path:
            return
        moved = {}
        for phase in ("warm-up", "case"):
            for key, n in fast.get(phase, {}).get("mod", {}).items():
                moved[key] = moved.get(key, 0) + n
        self.results.append(dict(name=name, kind=where[0], family=where[1], about=where[2], moved=moved,
                                 result="skip" if isinstance(complaints, str) else "fail" if complaints else "ok"))

    def write(self):
        if self.path:
            with open(self.path, "w") as f:
                json.dump(dict(kernel=os.uname().release, results=self.results), f, indent=0)
