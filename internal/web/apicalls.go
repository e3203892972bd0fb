package web

import (
	"net/http"

	"github.com/prometheus/common/route"
)

// apiCall is a call of the API, below /api/v1. docs/openapi.yaml describes it, which a test compares.
type apiCall struct {
	method, path string
	name         string // in the request meters
	answer       replier
	pushes       bool // it takes a body as a push does
}

// apiCalls returns all calls. Those behind --web.enable-admin-api are not there without it, like any path
// that nobody knows.
func (s *site) apiCalls() []apiCall {
	calls := []apiCall{
		{method: http.MethodGet, path: "/status", name: "api/v1/status", answer: shared(s.apiStatus)},
		{method: http.MethodGet, path: "/metrics", name: "api/v1/metrics", answer: s.whenReady(shared(s.apiMetrics))},
		{method: http.MethodGet, path: "/groups", name: "api/v1/groups", answer: s.whenReady(s.apiGroups)},
		{method: http.MethodGet, path: "/groups/:id", name: "api/v1/group", answer: s.whenReady(s.apiGroup)},
		{method: http.MethodPost, path: "/check", name: "api/v1/check", answer: s.whenReady(s.apiCheck), pushes: true},
		{method: http.MethodPost, path: "/push", name: "api/v1/push", answer: sameOrigin(s.whenReady(s.apiBatch)), pushes: true},
		{method: http.MethodGet, path: "/expiry", name: "api/v1/expiry", answer: s.whenReady(s.apiExpiry)},
		{method: http.MethodGet, path: "/failures", name: "api/v1/failures", answer: s.apiFailures},
		{method: http.MethodGet, path: "/sd", name: "api/v1/sd", answer: s.apiTargets},
	}
	deleteGroups := notEnabled
	if s.AdminAPI {
		deleteGroups = sameOrigin(s.whenReady(s.apiDeleteGroups))
		calls = append(calls,
			apiCall{method: http.MethodPost, path: "/admin/backup", name: "backup", answer: sameOrigin(s.backup)},
			apiCall{method: http.MethodPut, path: "/admin/wipe", name: "wipe", answer: sameOrigin(s.whenReady(s.wipe))})
	}
	return append(calls, apiCall{method: http.MethodDelete, path: "/groups", name: "api/v1/delete", answer: deleteGroups})
}

func (s *site) apiRoutes() *route.Router {
	r := route.New()
	r.Options("/*path", s.meters.count("api/v1/options", s.reply(shared(preflight))))
	take := map[string]func(path string, h http.HandlerFunc){
		http.MethodGet: r.Get, http.MethodPost: r.Post, http.MethodPut: r.Put, http.MethodDelete: r.Del,
	}
	for _, call := range s.apiCalls() {
		answer := s.reply(call.answer)
		if call.pushes {
			answer = s.decode(answer).ServeHTTP
		}
		take[call.method](call.path, s.meters.count(call.name, answer))
	}
	return r
}
