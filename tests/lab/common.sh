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
	local text=$1 since=$SECONDS fd
	# It must not hold a lock for longer than the lab does.
	for fd in ${HELD-}; do
		exec {fd}>&-
	done
	while sleep 30 >/dev/null 2>&1; do
		say "... still at it: $text ($((SECONDS - since)) s)"
	done
}

# supervise COMMAND...: run it in a process group of its own, which ends with the lab.
# Not to be used in a condition: bash would then ignore errors inside COMMAND.
supervise() {
	set -m
	"$@" </dev/null &
	CHILD=$!
	set +m
	wait "$CHILD" && CHILD_RC=0 || CHILD_RC=$?
	CHILD=
}

end_child() {
	[ -n "$CHILD" ] || return 0
	kill -TERM -- "-$CHILD" 2>/dev/null || true
	sleep 1
	kill -KILL -- "-$CHILD" 2>/dev/null || true
}

cleanup_init() {
	CHILD='' BEAT=''
	trap 'end_child; [ -z "$BEAT" ] || kill "$BEAT" 2>/dev/null || true' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

logged() {
	local log=$1
	shift
	"$@" >"$log" 2>&1
}

# step TEXT COMMAND...: run a command into a log; show the log's end if it fails.
step() {
	local text=$1 log since=$SECONDS
	shift
	log=$CACHE/log/$(date +%m%d-%H%M%S)-$$-$(tr -cs '[:alnum:].\n' - <<<"$text").log
	say "$text ..."
	heartbeat "$text" &
	BEAT=$!
	supervise logged "$log" "$@"
	kill "$BEAT"
	wait "$BEAT" 2>/dev/null || true
	BEAT=
	if [ "$CHILD_RC" != 0 ]; then
		tail -n 30 "$log" >&2
		die "$text failed after $((SECONDS - since)) s; whole log: $log"
	fi
	say "$text: done ($((SECONDS - since)) s)"
}

# locked NAME COMMAND...: one lab at a time per NAME on this machine. COMMAND may take another
# lock: each has a descriptor of its own, and HELD, as COMMAND sees it, has all of them.
locked() {
	local fd HELD=${HELD-}
	exec {fd}>"$CACHE/lock/$1"
	HELD+=" $fd"
	if ! flock -n "$fd"; then
		say "waiting for another lab: $1"
		flock "$fd"
	fi
	"${@:2}"
	exec {fd}>&-
}

# Put a finished directory or file in its place in one move: what has the final
# name is whole.
settle() {
	rm -rf "$2"
	mv -T "$1" "$2"
}

# Drop what an older recipe made of the same noun and kernel, unless that was today:
# another tree may still be using it.
drop_older() {
	local keep=$1 prefix=$2 old
	for old in "$prefix"-*; do
		if [ "$old" != "$keep" ] && [ -n "$(find "$old" -maxdepth 0 -mmin +1440 2>/dev/null)" ]; then
			rm -rf "$old"
		fi
	done
}

cache_init() {
	CACHE=${FTUN_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nf_flowtable_tun}
	mkdir -p "$CACHE"/{log,lock,rootfs,headers,image,uml,build,run}
	CACHE=$(cd "$CACHE" && pwd -P)
	case $CACHE in
	*[[:space:]]*) die "the cache's path has a blank in it: $CACHE" ;;
	esac
	find "$CACHE/log" -type f -mtime +7 -delete
}
