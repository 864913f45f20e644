# SPDX-License-Identifier: GPL-2.0
# What every part of the lab needs: words to the user, steps with a log, locks.
# shellcheck shell=bash

# Exit codes of the lab itself; any other code is the one of CMD in the guest.
readonly EXIT_SPLAT=97 EXIT_GUEST=98 EXIT_LAB=99

say() { echo "[lab] $*" >&2; }

die() {
	say "error: $*"
	exit "$EXIT_LAB"
}

short_hash() { sha256sum | cut -c1-12; }

# Tell now and then that a long step is still at work.
heartbeat() {
	local text=$1 since=$SECONDS
	while sleep 30 >/dev/null 2>&1 8>&-; do
		say "... still at it: $text ($((SECONDS - since)) s)"
	done
}

# step TEXT COMMAND...: run a command into a log; show the log's end if it fails.
# Not to be used in a condition: bash would then ignore errors inside COMMAND.
step() {
	local text=$1 log since=$SECONDS rc=0 beat
	shift
	log=$CACHE/log/$(date +%m%d-%H%M%S)-$$-$(tr -cs '[:alnum:].\n' - <<<"$text").log
	say "$text ..."
	heartbeat "$text" &
	beat=$!
	("$@") >"$log" 2>&1 </dev/null &
	wait $! || rc=$?
	kill "$beat" 2>/dev/null
	wait "$beat" 2>/dev/null || true
	if [ "$rc" != 0 ]; then
		tail -n 30 "$log" >&2
		die "$text failed after $((SECONDS - since)) s; whole log: $log"
	fi
	say "$text: done ($((SECONDS - since)) s)"
}

# locked NAME COMMAND...: one lab at a time per NAME on this machine.
locked() {
	local name=$1
	shift
	(
		exec 8>"$CACHE/lock/$name"
		if ! flock -n 8; then
			say "waiting for another lab: $name"
			flock 8
		fi
		"$@"
	)
}

# Put a finished directory or file in its place in one move: what has the final
# name is whole.
settle() {
	rm -rf "$2"
	mv -T "$1" "$2"
}

# Drop what an interrupted or an older set-up left behind: settled things of the
# same noun and kernel with another recipe.
drop_older() {
	local keep=$1 prefix=$2 old
	for old in "$prefix"-*; do
		if [ -e "$old" ] && [ "$old" != "$keep" ]; then
			rm -rf "$old"
		fi
	done
}

cache_init() {
	CACHE=${FTUN_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nf_flowtable_tun}
	mkdir -p "$CACHE"/{log,lock,rootfs,image,uml,build,run}
	CACHE=$(cd "$CACHE" && pwd -P)
	find "$CACHE/log" -type f -mtime +7 -delete
}
