# SPDX-License-Identifier: GPL-2.0
"""The differential harness: see ../README.md."""
