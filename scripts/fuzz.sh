#!/usr/bin/env bash
# Runs every fuzz target of the module, FUZZTIME each (10s by default).
set -euo pipefail
cd "$(dirname "$0")/.."

# fuzz PACKAGE TARGET. Go's fuzzer at times takes its own end for a failure, without an input to show for it;
# then it is run again.
fuzz() {
	local said
	said=$(mktemp)
	go test -run '^$' -fuzz "^$2\$" -fuzztime "${FUZZTIME:-10s}" "$1" 2>&1 | tee "$said" && return
	if grep -q 'context deadline exceeded' "$said" && ! grep -q 'Failing input written' "$said"; then
		go test -run '^$' -fuzz "^$2\$" -fuzztime "${FUZZTIME:-10s}" "$1"
		return
	fi
	return 1
}

count=0
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "fuzz: $package $target"
		fuzz "$package" "$target"
		count=$((count + 1))
	done
done
echo "fuzz: $count targets"
