# SPDX-License-Identifier: GPL-2.0
# One run: what goes into a guest, what comes out, and what to make of it.
# shellcheck shell=bash

# A lone word is a line of shell; several are a command and its arguments.
job_command() {
	if [ $# = 1 ]; then
		echo "$1"
	else
		printf '%q ' exec "$@"
	fi
}

# The input disk: a tar that lab-init unpacks.
job_pack() {
	local run=$1
	shift
	job_command "$@" >"$run/stage/cmd"
	cp "$LAB/guest-init" "$LAB/splats" "$run/stage"
	mkdir -p "$run/stage/src"
	tar -cf "$run/in.tar" -C "$run/stage" .
	tree_files | tar -rf "$run/in.tar" -C "$TREE" --owner=0 --group=0 \
		--no-recursion --transform='flags=r;s,^,./src/,' --null -T -
	truncate -s 4G "$run/out.tar"
}

job_unpack() {
	local run=$1
	mkdir -p "$run/result"
	tar -xf "$run/out.tar" -C "$run/result" 2>/dev/null || true
	rm -rf "$run/in.tar" "$run/out.tar" "$run/stage"
	if [ -n "$OUT" ]; then
		mkdir -p "$OUT"
		cp -a "$run/result/out/." "$OUT" 2>/dev/null || true
		cp "$run/console" "$OUT/console.log" 2>/dev/null || true
		cp "$run/result/dmesg" "$OUT/dmesg.log" 2>/dev/null || true
		[ -z "${SUDO_UID-}" ] || chown -R "$SUDO_UID:${SUDO_GID-}" "$OUT"
	fi
}

# What went wrong in a guest that died: its first splat, or else its last words.
job_lost() {
	local line
	line=$(grep -v '^#' "$LAB/splats" | grep -nEf - "$1/console" | head -n 1 | cut -d: -f1)
	if [ -n "$line" ]; then
		say "first splat on the kernel's console ($1/console):"
		sed -n "$((line > 3 ? line - 3 : 1)),$((line + 40))p" "$1/console" >&2
	else
		say "last lines of the kernel's console ($1/console):"
		tail -n 40 "$1/console" >&2
	fi
	say "error: $2"
	return "$EXIT_GUEST"
}

# job_judge RUNDIR BOOT_RC SECONDS: the exit code of the run.
job_judge() {
	local run=$1 rc
	if [ ! -e "$run/result/rc" ]; then
		if [ "$2" = 124 ]; then
			job_lost "$run" "guest killed after --timeout $TIMEOUT s"
		else
			job_lost "$run" "guest ended without a result: it hung, crashed or was killed"
		fi
		return
	fi
	rc=$(cat "$run/result/rc")
	if [ "$(cat "$run/result/verdict")" = clean ]; then
		say "exit code $rc, kernel log clean ($3 s in the guest)"
		return "$rc"
	fi
	say "error: exit code $rc, but the kernel complained; log: $run/result/dmesg"
	[ "$rc" != 0 ] || rc=$EXIT_SPLAT
	return "$rc"
}

# What every guest learns from its kernel's command line.
job_words() {
	echo "lab_guest=$GUEST lab_kernel=$KERNEL lab_terminal=$TERMINAL"
}

# Only a terminal can be typed on; anything else on stdin is not for the guest.
job_boot() {
	TERMINAL=0
	if [ -t 0 ] && [ -t 1 ]; then
		TERMINAL=1
		"$1" "$GUEST" "$KERNEL" "$2" && CHILD_RC=0 || CHILD_RC=$?
	else
		supervise "$1" "$GUEST" "$KERNEL" "$2"
	fi
}

# job_run BOOT CMD...: a whole run in a directory of its own.
job_run() {
	local boot=$1 run since
	shift
	run=$(mktemp -d "$CACHE/run/$GUEST-$KERNEL.XXXXXX")
	mkdir "$run/stage"
	module_build "$GUEST" "$KERNEL" "$run/stage/modules"
	job_pack "$run" "$@"
	: >"$run/console"
	say "booting $GUEST $KERNEL"
	since=$SECONDS
	job_boot "$boot" "$run"
	job_unpack "$run"
	job_judge "$run" "$CHILD_RC" $((SECONDS - since))
}

# Keep the last few runs for whoever wants to look.
job_sweep() {
	find "$CACHE/run" -mindepth 1 -maxdepth 1 -mmin +180 -exec rm -rf {} +
}
