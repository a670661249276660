# Shared by quickstart.sh and check.sh: packages and builds. Sourced, not run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

packages=(build-essential autoconf automake libtool autoconf-archive pkg-config
	libltdl-dev libcurl4-openssl-dev libuv1-dev libjansson-dev libleveldb-dev
	libmicrohttpd-dev libpcre2-dev libsmartcols-dev uthash-dev check uuid-dev
	libcsv-dev libssl-dev zlib1g-dev ca-certificates libjs-chart.js unixodbc-dev
	odbc-mariadb odbc-postgresql libsqliteodbc)

say() {
	printf '== %s\n' "$*" >&2
}

# Installs those of the named Debian packages that are missing.
need_packages() {
	local missing=() package as_root=()
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
			missing+=("$package")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || {
			say "become root, or install sudo, to install: ${missing[*]}"
			return 1
		}
		as_root=(sudo)
	fi
	say "installing ${missing[*]}"
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
			apt-get -qq -y --no-install-recommends install "${missing[@]}" >&2
}

# build_in FOLDER CONFIGURE-OPTION...: configures when needed, then builds.
build_in() {
	local folder=$1
	shift
	if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
		say "making configure"
		(cd "$top" && autoreconf -fi >/dev/null 2>&1) || (cd "$top" && autoreconf -fi)
	fi
	mkdir -p "$folder"
	if [ ! -f "$folder/config.status" ] || [ "$top/configure" -nt "$folder/config.status" ]; then
		say "configuring in $folder"
		(cd "$folder" && "$top/configure" -q "$@" 2>&1 | grep -v "cannot remove 'core'" >&2
			exit "${PIPESTATUS[0]}") || return 1
	fi
	say "building in $folder"
	make -C "$folder" -s -j"$(nproc)" >&2
}
