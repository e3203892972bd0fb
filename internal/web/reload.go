package web

import (
	"io"
	"net/http"
	"time"

	"github.com/prometheus/common/route"
)

// RulesStatus is how the file of rules was last read.
type RulesStatus struct {
	File   string
	Rules  int       // in force
	Loaded time.Time // when those were read
	Err    error     // why a later reading was in vain; nil if there was none
}

// addReload answers /-/reload where there is something to reload, and only with the lifecycle API: the
// reference has no such path.
func (s *site) addReload(r *route.Router) {
	if !s.Lifecycle || s.Reload == nil {
		return
	}
	reload := s.reply(sameOrigin(s.reload))
	r.Put(s.RoutePrefix+"/-/reload", reload)
	r.Post(s.RoutePrefix+"/-/reload", reload)
	r.Get(s.RoutePrefix+"/-/reload", refuseQuit)
}

func (s *site) reload(w http.ResponseWriter, _ *http.Request) error {
	if err := s.Reload(); err != nil {
		return &failure{http.StatusInternalServerError, "the rules are not sound, the old ones stay in force:\n" + err.Error()}
	}
	_, err := io.WriteString(w, "Rules reloaded.")
	return ended(err)
}
