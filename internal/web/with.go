package web

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/prometheus/common/route"

	"holdfast"
)

// withPath begins the path of a push that says by options how it is to be taken.
const withPath = "/with/"

// termsKey is where the context of a request has the terms of its options.
type termsKey struct{}

// termsOf returns what the options of a request say.
func termsOf(r *http.Request) holdfast.Terms {
	terms, _ := r.Context().Value(termsKey{}).(holdfast.Terms)
	return terms
}

// options takes the option prefix off the path of a push or delete: /with/ttl=90s,mode=add/metrics/job/…
// It stands before the routes, so that they know nothing of it.
func (s *site) options(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.URL.Path, s.RoutePrefix+withPath)
		if !found {
			next.ServeHTTP(w, r)
			return
		}
		said, target, _ := strings.Cut(rest, "/")
		target = "/" + target
		s.reply(func(w http.ResponseWriter, r *http.Request) error {
			terms, err := holdfast.ParseTerms(said)
			if err != nil {
				return err
			}
			if err := behindOptions(target); err != nil {
				return err
			}
			r = r.WithContext(context.WithValue(r.Context(), termsKey{}, terms))
			r.URL = &url.URL{Path: s.RoutePrefix + target, RawQuery: r.URL.RawQuery}
			next.ServeHTTP(w, r)
			return nil
		})(w, r)
	})
}

// behindOptions refuses what may not follow options. A path that the routes would redirect is refused,
// since the client would follow to a place without the options.
func behindOptions(target string) error {
	job, isPlain := strings.CutPrefix(target, jobPath+"/")
	if !isPlain {
		var isBase64 bool
		if job, isBase64 = strings.CutPrefix(target, jobPath+"@base64/"); !isBase64 {
			return &failure{http.StatusNotFound, "options stand in front of a grouping key: /with/ttl=90s/metrics/job/…"}
		}
	}
	if job == "" || strings.TrimSuffix(target, "/") != path.Clean(target) {
		return &failure{http.StatusBadRequest, "the path behind the options has an empty part, or . or ..\n" +
			"hint: an empty label value is written name@base64/=, and a value with slashes in base64 as well"}
	}
	return nil
}

// jobPath begins the path of every grouping key.
const jobPath = "/metrics/job"

// patches routes PATCH, which the router does not know: an upsert of the group of a grouping key.
func (s *site) patches(next http.Handler) http.Handler {
	plain := s.meters.push(s.reply(sameOrigin(s.whenReady(s.push(holdfast.Upsert, false)))))
	encoded := s.meters.push(s.reply(sameOrigin(s.whenReady(s.push(holdfast.Upsert, true)))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.URL.Path, s.RoutePrefix+jobPath)
		if r.Method != http.MethodPatch || !found {
			next.ServeHTTP(w, r)
			return
		}
		handle := plain
		if after, isBase64 := strings.CutPrefix(rest, "@base64"); isBase64 {
			handle, rest = encoded, after
		}
		if !strings.HasPrefix(rest, "/") || len(rest) < 2 {
			next.ServeHTTP(w, r)
			return
		}
		job, labels := rest[1:], ""
		if slash := strings.IndexByte(job, '/'); slash >= 0 {
			job, labels = job[:slash], job[slash:]
		}
		ctx := route.WithParam(route.WithParam(r.Context(), "job", job), "labels", labels)
		handle(w, r.WithContext(ctx))
	})
}
