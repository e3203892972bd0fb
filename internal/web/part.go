package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"

	"holdfast"
)

// maxShards is the most targets that one gateway is scraped as.
const maxShards = 1024

// part reads which part of the page is asked for: match[], shard and of. Other parameters mean nothing here.
func (s *site) part(r *http.Request) (holdfast.Part, error) {
	if r.URL.RawQuery == "" {
		return holdfast.Part{}, nil
	}
	p := &params{values: r.URL.Query()}
	part := holdfast.Part{Selectors: p.selectors("match[]")}
	part.Of = p.count("of", 0, maxShards)
	part.Shard = p.count("shard", 0, max(part.Of, 1))
	if p.problem == nil && (part.Of == 0) != (part.Shard == 0) {
		p.fail("parameters shard and of belong together: shard=1&of=8 is the first of eight parts")
	}
	return part, p.problem
}

// discovered is a group of targets as Prometheus' HTTP service discovery reads it.
type discovered struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// apiTargets answers with the gateway as so many targets, each of which is scraped for its shard.
func (s *site) apiTargets(w http.ResponseWriter, r *http.Request) error {
	p := newParams(r, "shards")
	shards := p.count("shards", 1, maxShards)
	if p.problem != nil {
		return p.problem
	}
	base, err := url.Parse(s.base(r))
	if err != nil {
		return &failure{http.StatusBadRequest, fmt.Sprintf("the gateway's address cannot be told from the host that was asked for\nhint: set --web.external-url (%v)", err)}
	}
	targets := make([]discovered, 0, shards)
	for shard := 1; shard <= shards; shard++ {
		labels := map[string]string{"__scheme__": base.Scheme, "__metrics_path__": path.Join("/", base.Path, s.TelemetryPath)}
		if shards > 1 {
			labels["__param_shard"], labels["__param_of"] = strconv.Itoa(shard), strconv.Itoa(shards)
			// Targets of one address need names of their own, or their up and scrape_… series would be one.
			labels["instance"] = fmt.Sprintf("%s shard %d of %d", base.Host, shard, shards)
		}
		targets = append(targets, discovered{[]string{base.Host}, labels})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(targets)
}
