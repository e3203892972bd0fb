package web

import "net/http"

// sameOrigin refuses what a page of another site sends through its visitor's browser. Browsers say so by
// Sec-Fetch-Site, older ones by Origin; other clients send neither and pass.
func sameOrigin(next replier) replier {
	guard := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) error {
		if guard.Check(r) != nil {
			return &failure{http.StatusForbidden, "cross-site request refused\n" +
				"hint: a page of another origin may read the gateway but not change it; push from a program, or serve the page from the gateway's own origin"}
		}
		return next(w, r)
	}
}

// shared lets pages of any origin read the answer. It is for the two read-only calls of the query API.
func shared(next replier) replier {
	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin")
		h.Set("Access-Control-Allow-Methods", http.MethodGet)
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Date")
		h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
		return next(w, r)
	}
}

func preflight(w http.ResponseWriter, _ *http.Request) error {
	empty(w, http.StatusOK)
	return nil
}
