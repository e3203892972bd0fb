// Package pgwfile reads and writes the persistence file of the Prometheus Pushgateway, versions 0.10 and
// later. It knows only the file.
//
// The file is one value of encoding/gob: a map from grouping keys to groups. A group has its labels and
// a map from family names to families, and a family has the time of its last push and its protobuf.
package pgwfile

import (
	"encoding/gob"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Group is all that was stored under one grouping key. Families are by name; the two families with the
// times of the last push and the last failure are among them.
type Group struct {
	Labels   map[string]string
	Families map[string]Family
}

// Family is a metric family as it was stored: its metrics carry the labels of their group.
type Family struct {
	Pushed time.Time
	*dto.MetricFamily
}

// Write writes a file that the Pushgateway loads. All groups are held in memory, encoded, until they are
// written: gob tells their number and their size first.
func Write(w io.Writer, groups iter.Seq[Group]) error {
	all := map[string]wireGroup{}
	for g := range groups {
		key := keyOf(g.Labels)
		if _, twice := all[key]; twice {
			return fmt.Errorf("group %v comes twice", g.Labels)
		}
		stored := wireGroup{Labels: g.Labels, Metrics: make(map[string]wireFamily, len(g.Families))}
		for name, f := range g.Families {
			encoded, err := proto.Marshal(f.MetricFamily)
			if err != nil {
				return fmt.Errorf("encode family %q of group %v: %w", name, g.Labels, err)
			}
			stored.Metrics[name] = wireFamily{f.Pushed, &protobuf{encoded}}
		}
		all[key] = stored
	}
	if err := gob.NewEncoder(w).Encode(all); err != nil {
		return fmt.Errorf("write %d groups: %w", len(all), err)
	}
	return nil
}

// wireGroup and wireFamily have the fields of the file, by their names and in their order.
type wireGroup struct {
	Labels  map[string]string
	Metrics map[string]wireFamily
}

type wireFamily struct {
	Timestamp            time.Time
	GobbableMetricFamily *protobuf
}

// protobuf is an encoded family. To gob it is opaque, so that its bytes stand in the file as they are.
type protobuf struct{ encoded []byte }

// GobEncode implements gob.GobEncoder.
func (p *protobuf) GobEncode() ([]byte, error) { return p.encoded, nil }

// keySeparator joins names and values of a grouping key; it is in no UTF-8.
const keySeparator = "\xff"

// keyOf returns the grouping key as the Pushgateway writes it: names and values, sorted by name.
func keyOf(labels map[string]string) string {
	parts := make([]string, 0, 2*len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name, labels[name])
	}
	return strings.Join(parts, keySeparator)
}
