#!/usr/bin/env bash
# Installs what the tests need beside Go, where it is missing: Prometheus with promtool, an older
# Pushgateway, the Python and the node client, Chromium with fonts for screenshots and axe-core, what power cuts and failing syncs are made with, and the C
# compiler of the race detector. Fails with a clear sentence where a part
# cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
	echo "parts: $*" >&2
	exit 1
}

wanted=()
want() { # command or check, Debian package
	if ! eval "$1" >/dev/null 2>&1; then wanted+=("$2"); fi
}
want 'command -v curl' curl
want 'command -v gcc' gcc
want 'command -v prometheus && command -v promtool' prometheus
want '/usr/bin/python3 -c "import prometheus_client"' python3-prometheus-client
want 'command -v prometheus-pushgateway' prometheus-pushgateway
want 'command -v strace' strace
want 'command -v mkfs.ext4' e2fsprogs
want 'command -v mount' mount
want 'command -v node' nodejs
want 'command -v npm' npm
want 'command -v chromium' chromium
want 'test -d /usr/share/fonts/truetype/wqy' fonts-wqy-microhei
want 'test -d /usr/share/fonts/opentype/inter' fonts-inter

if [ ${#wanted[@]} -gt 0 ]; then
	echo "parts: installing ${wanted[*]}"
	command -v apt-get >/dev/null || fail "missing: ${wanted[*]}; this machine has no apt-get, install them by hand"
	root=()
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || fail "missing: ${wanted[*]}; run as root: apt-get install ${wanted[*]}"
		root=(sudo)
	fi
	"${root[@]}" apt-get update -qq || fail "apt-get update failed"
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null ||
		fail "apt-get cannot install: ${wanted[*]}"
fi

if [ -f e2e/package-lock.json ] && { [ ! -d e2e/node_modules/prom-client ] || [ ! -d e2e/node_modules/axe-core ]; }; then
	echo "parts: installing the node client and axe-core"
	(cd e2e && npm ci --silent --no-audit --no-fund) || fail "npm ci failed in e2e/"
fi
echo "parts: all there"
