# packages.bash - sourced by ../../quickstart and ../../runtests: what the build needs, and how to get it.
# shellcheck shell=bash disable=SC2034

# Debian's names. build: to compile; test: what the unit and system tests want on top.
BUILD_PACKAGES="gcc make autoconf automake pkg-config libsasl2-dev libsasl2-modules libsasl2-modules-db sasl2-bin libssl-dev zlib1g-dev
libicu-dev libpcre2-dev libdb5.3-dev libsqlite3-dev libwrap0-dev python3 ca-certificates"
TEST_PACKAGES="check openssl xz-utils file diffutils python3-pytest curl isync mutt"

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Prints what is missing, by the name of the thing.
missing_things() {
	local thing
	for thing in gcc make autoconf automake autoreconf pkg-config python3; do
		command -v "$thing" >/dev/null 2>&1 || printf '%s ' "$thing"
	done
	command -v saslpasswd2 >/dev/null 2>&1 || [ -x /usr/sbin/saslpasswd2 ] || printf 'saslpasswd2 '
	if command -v pkg-config >/dev/null 2>&1; then
		for thing in libsasl2 openssl zlib icu-uc icu-i18n; do
			pkg-config --exists "$thing" || printf '%s ' "$thing"
		done
	fi
}

# On Debian and its kin the package list decides, elsewhere the things themselves do.
missing_packages() {
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || printf '%s ' "$p"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	else sudo -n "$@"
	fi
}

# need_packages WANTED... : installs what is missing, or says what is.
need_packages() {
	local missing things
	things=$(missing_things)
	if command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; then
		missing=$(missing_packages "$@")
		[ -n "$missing" ] || return 0
		if [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }; then
			say "Installing: $missing"
			as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null || die "apt-get update failed"
			# shellcheck disable=SC2086  # a list of words
			as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing </dev/null ||
				die "apt-get could not install: $missing"
			return 0
		fi
		[ -z "$things" ] && return 0              # enough to build; the rest is optional
		die "missing: $things
As root, run: apt-get install $missing"
	fi
	[ -z "$things" ] || die "missing: $things
Install the packages that bring them; on Debian they are called:
$*"
}

# build_tree DIR CONFIGURE-OPTION... : configures (when something changed) and leaves DIR ready for make.
build_tree() {
	local dir=$1
	shift
	if [ ! -x "$SRC/configure" ] || [ "$SRC/configure.ac" -nt "$SRC/configure" ]; then
		(cd "$SRC" && autoreconf -fi) || die "autoreconf failed"
	fi
	mkdir -p "$dir"
	if [ ! -f "$dir/config.status" ] || [ "$SRC/configure" -nt "$dir/config.status" ]; then
		(cd "$dir" && "$SRC/configure" "$@") || die "configure failed"
	fi
}

processors() { nproc 2>/dev/null || echo 1; }
