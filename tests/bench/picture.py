# SPDX-License-Identifier: GPL-2.0
"""The bench's picture: a bar for each way through the router."""

LEFT, ROOM, TOP, BAR, GROUP = 120, 520, 84, 11, 44
NAMES = {"slow": "slow path", "flowtable": "nf_flow_table", "fast": "this module"}
WHERE = {"in": "into the tunnel", "out": "out of the tunnel"}
# Readable on white and on a dark page.
STYLE = """
	text { font: 12px sans-serif; fill: #24292f }
	.back { fill: #ffffff } .soft { fill: #57606a } .line { stroke: #57606a; stroke-dasharray: 3 3 }
	.slow { fill: #9aa5b1 } .flowtable { fill: #d28b26 } .fast { fill: #1f6fb2 } .not { opacity: .45 }
	@media (prefers-color-scheme: dark) {
		text { fill: #e6edf3 } .back { fill: #0d1117 } .soft { fill: #9da7b1 } .line { stroke: #9da7b1 }
		.slow { fill: #6e7781 } .flowtable { fill: #e0a145 } .fast { fill: #4a9eea }
	}
"""


def label(x, y, text, style="", anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{style}" text-anchor="{anchor}">{text}</text>'


def bar(y, way, value, whole, scale):
    """A pale one where packets took the slow path after all, or came out wrong."""
    style = way if whole else way + " not"
    return [f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="{BAR}" class="{style}"/>',
            f'<text x="{LEFT + value * scale + 5:.0f}" y="{y + BAR - 1}" font-size="10">{value:,.0f}</text>']


def group(y, kind, where, ways, scale):
    parts = [label(10, y + 15, kind), label(10, y + 29, WHERE[where] if kind != "plain" else
                                            {"in": "to the server", "out": "to the client"}[where], "soft")]
    for number, way in enumerate(NAMES):
        if way in ways:
            value, whole = ways[way]
            parts += bar(y + number * (BAR + 1), way, value, whole, scale)
    if "floor" in ways:
        x = LEFT + ways["floor"][0] * scale
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 2}" y2="{y + 3 * BAR + 4}" class="line"/>')
    return parts


def draw(rows):
    """@rows: (kind, direction, {way: (instructions, as it should be?)})"""
    most = max([value for _, _, ways in rows for value, _ in ways.values()], default=1)
    scale, height = ROOM / most, TOP + GROUP * len(rows) + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" viewBox="0 0 760 {height}">',
             f"<style>{STYLE}</style>", '<rect width="100%" height="100%" class="back"/>',
             label(10, 24, "What a small packet costs the router: instructions, Linux 7.3, one connection"),
             label(10, 44, "Dashed: a frame forwarded unread by one nftables rule, what feeds the packets included.", "soft")]
    x = 10
    for way, name in NAMES.items():
        parts += [f'<rect x="{x}" y="56" width="12" height="12" class="{way}"/>', label(x + 17, 66, name)]
        x += 120
    parts.append(label(x, 66, "pale: not accelerated, or not as the slow path sends it", "soft"))
    for number, (kind, where, ways) in enumerate(rows):
        parts += group(TOP + GROUP * number, kind, where, ways, scale)
    return "\n".join(parts + ["</svg>", ""])
