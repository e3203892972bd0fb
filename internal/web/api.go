package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/common/version"
)

const jsonType = "application/json"

// statusReply is the answer of the status call; the order of its keys is the reference's.
type statusReply struct {
	Status  string         `json:"status"`
	Content map[string]any `json:"data"`
}

// apiStatus answers with build, flags and start time.
func (s *site) apiStatus(w http.ResponseWriter, _ *http.Request) error {
	flags := s.Flags
	if flags == nil {
		flags = map[string]string{}
	}
	text, err := json.Marshal(statusReply{"success", map[string]any{
		"build_information": buildInformation(),
		"flags":             flags,
		"start_time":        s.Started.Format(time.RFC3339Nano),
	}})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	_, err = w.Write(text)
	return ended(err)
}

func buildInformation() map[string]string {
	return map[string]string{
		"branch":    version.Branch,
		"buildDate": version.BuildDate,
		"buildUser": version.BuildUser,
		"goVersion": version.GoVersion,
		"revision":  version.GetRevision(),
		"version":   version.Version,
	}
}

// apiMetrics answers with all groups of one moment, by key. It writes them one by one, so the answer may
// be far larger than what is held for it.
func (s *site) apiMetrics(w http.ResponseWriter, _ *http.Request) error {
	_, groups, err := s.Gateway.Groups()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	out := bufio.NewWriterSize(w, 32<<10)
	writer := groupWriter{out: out, line: []byte(`{"status":"success","data":[`)}
	first := true
	for g := range groups {
		if !first {
			writer.line = append(writer.line, ',')
		}
		first = false
		if err := writer.group(g); err != nil {
			return ended(err)
		}
	}
	writer.line = append(writer.line, "]}"...)
	return ended(errors.Join(writer.pass(), out.Flush()))
}
