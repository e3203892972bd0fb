// Package conformance is a black-box suite for push gateways. It replays recorded exchanges of the
// reference and plays cases of its own, over plain sockets, against any base URL:
//
//	go test ./conformance -target http://127.0.0.1:9091
//
// The target is wiped before each scenario, so it must run with --web.enable-admin-api and hold nothing
// of value. Without -target, Holdfast is started in the test's own process; what needs other flags than
// the target's is always started there.
package conformance
