#!/usr/bin/env bash
# Checks the form of the code: format, vet, staticcheck. Prints what is wrong and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "lint: gofumpt"
unformatted=$(go tool -modfile=tools.mod gofumpt -l .)
if [ -n "$unformatted" ]; then
	echo "not formatted, run make fmt:" >&2
	echo "$unformatted" >&2
	exit 1
fi
echo "lint: go.mod"
go mod verify >/dev/null
go mod tidy -diff

echo "lint: vet, staticcheck"
for module in . e2e; do
	[ -f "$module/go.mod" ] || continue
	(
		cd "$module"
		go vet ./...
		go tool -modfile="$OLDPWD/tools.mod" staticcheck ./...
	)
done
