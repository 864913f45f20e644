# SPDX-License-Identifier: GPL-2.0
"""What spec/nf_flowtable_tun.yaml says of attributes, as far as tests need it. The
guests have no YAML parser; this reads the layout that the file has.
"""
import os
import re

SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../spec/nf_flowtable_tun.yaml")


def entries(text, indent):
    """Items of a list whose dashes are so deep."""
    return re.split(r"^%s-(?:\n| )" % (" " * indent), text, flags=re.M)[1:]


def field(text, name, indent):
    found = re.search(r"^%s%s: *(.*)$" % (" " * indent, name), text, re.M)
    return found.group(1).strip() if found else None


def words(text):
    return re.findall(r"\w[\w-]*", text or "")


def load():
    """({set: {attribute: fields}}, {operation: {"set", "request"}}, {enum: number of entries})"""
    with open(SPEC, encoding="ascii") as file:
        text = file.read()
    definitions, rest = text.split("\nattribute-sets:\n")
    sets, operations = rest.split("\noperations:\n")
    return ({field(s, "name", 4): attributes(s) for s in entries(sets, 2)},
            {field(o, "name", 6): operation(o) for o in entries(operations.split("\nmcast-groups:")[0], 4)},
            {field(d, "name", 4): enum_size(d) for d in entries(definitions, 2)})


def attributes(text):
    found = {}
    for item in entries(text.split("    attributes:\n")[1], 6):
        found[field(item, "name", 8)] = {
            "type": field(item, "type", 8), "enum": field(item, "enum", 8), "multi": bool(field(item, "multi-attr", 8)),
            "flags": bool(field(item, "enum-as-flags", 8)), "nested": field(item, "nested-attributes", 8),
            "max": field(item, "max", 10), "max-len": field(item, "max-len", 10), "exact-len": field(item, "exact-len", 10)}
    return found


def operation(text):
    request = re.search(r"^        request:\n          attributes:((?:.|\n)*?)(?=^        \w|^      \w|\Z)", text, re.M)
    return {"set": field(text, "attribute-set", 6), "request": words(request.group(1)) if request else []}


def enum_size(text):
    inline = re.search(r"^    entries: \[(.*)\]", text, re.M)
    if inline:
        return len(words(inline.group(1)))
    return len([e for e in entries(text.split("    entries:\n")[-1], 6) if e.strip()]) if "    entries:" in text else 0
