package web

import (
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/prometheus/common/route"

	"holdfast"
)

// routes builds the mux. Its stack is the reference's: a ServeMux that cleans paths, in front of
// routers that answer OPTIONS and 405 and redirect to a path that differs by a slash or by case.
func (s *site) routes() (mux *http.ServeMux, err error) {
	// The router reports an impossible route by a panic; here it is an operator's mistake.
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("a route is impossible: %v", problem)
		}
	}()
	r := route.New()
	s.addHealth(r)
	s.addTelemetry(r)
	s.addPushes(r)
	s.addAggregation(r)
	s.addPage(r)
	s.addLifecycle(r)
	r.Get(s.RoutePrefix+profilePath+"*profile", serveProfile)

	api := s.RoutePrefix + "/api/v1"
	for _, p := range []string{s.TelemetryPath, s.SelfTelemetryPath} {
		if p = path.Join(s.RoutePrefix, p); p == api || strings.HasPrefix(p, api+"/") {
			return nil, fmt.Errorf("a route is impossible: path '%s' is below '%s', which is the API's", p, api)
		}
	}
	mux = http.NewServeMux()
	mux.Handle("/", s.decode(s.patches(r)))
	mux.Handle(api+"/", http.StripPrefix(api, s.apiRoutes()))
	return mux, nil
}

func (s *site) addHealth(r *route.Router) {
	r.Get(s.RoutePrefix+"/-/healthy", s.meters.count("healthy", s.reply(healthy)))
	r.Get(s.RoutePrefix+"/-/ready", s.meters.count("ready", s.reply(s.ready)))
}

func (s *site) addTelemetry(r *route.Router) {
	r.Get(path.Join(s.RoutePrefix, s.TelemetryPath), s.reply(s.whenReady(s.scrape)))
	if s.SelfTelemetryPath != "" {
		r.Get(path.Join(s.RoutePrefix, s.SelfTelemetryPath), s.serveOwn())
	}
}

func (s *site) addPushes(r *route.Router) {
	for _, isBase64 := range []bool{false, true} {
		base := s.RoutePrefix + jobPath
		if isBase64 {
			base += "@base64"
		}
		put := s.meters.push(s.reply(sameOrigin(s.whenReady(s.push(holdfast.ReplaceGroup, isBase64)))))
		post := s.meters.push(s.reply(sameOrigin(s.whenReady(s.push(holdfast.ReplaceFamily, isBase64)))))
		del := s.meters.count("delete", s.reply(sameOrigin(s.whenReady(s.delete(isBase64)))))
		for _, rest := range []string{"/:job", "/:job/*labels"} {
			r.Put(base+rest, put)
			r.Post(base+rest, post)
			r.Del(base+rest, del)
		}
	}
}

func (s *site) addPage(r *route.Router) {
	r.Get(s.RoutePrefix+"/static/*file", s.meters.count("static", serveStatic(s.Started)))
	for path, v := range map[string]view{
		"/":           {"groups", "Groups", s.listing},
		"/overview":   {"overview", "Overview", s.overview},
		"/groups/:id": {"group", "Group", s.group},
		"/failures":   {"failures", "Failures", s.failuresPage},
		"/status":     {"status", "Status", s.status},
		"/start":      {"start", "How to push", s.startPage},
		"/delete":     {"delete", "Delete groups", s.askErase},
	} {
		r.Get(s.RoutePrefix+path, s.meters.count("status", s.reply(s.show(v))))
	}
	r.Post(s.RoutePrefix+"/delete", s.meters.count("status", s.reply(sameOrigin(s.whenReady(s.erase)))))
}

func (s *site) addLifecycle(r *route.Router) {
	quit := s.reply(sameOrigin(s.quit))
	r.Put(s.RoutePrefix+"/-/quit", quit)
	r.Post(s.RoutePrefix+"/-/quit", quit)
	// The reference forgets the prefix here, and probes may rely on the answer.
	r.Get("/-/quit", refuseQuit)
	s.addReload(r)
}
