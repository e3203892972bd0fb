package holdfast

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// Terms says how a push is to be taken: the client by options in the path, the operator by rules. What
// is nil was not said; with nothing said, all is as with the reference.
type Terms struct {
	Mode         *Mode
	TTL          *time.Duration // the group leaves once its last accepted push is this old; 0: never
	Every        *time.Duration // the group is overdue once its last accepted push is this old; 0: never
	KeepPushTime *time.Duration // how long the time metrics stay after the rest of the group has left
	Gauge        *exposition.GaugeRule
	DropLabels   []string // taken off before adding
	Strip        *bool    // take timestamps off rather than refuse them
	Lenient      *bool    // read text with CRLF, a byte order mark, or without the last line feed
}

// Over returns t with what it does not say taken from under.
func (t Terms) Over(under Terms) Terms {
	t.Mode = cmp.Or(t.Mode, under.Mode)
	t.TTL = cmp.Or(t.TTL, under.TTL)
	t.Every = cmp.Or(t.Every, under.Every)
	t.KeepPushTime = cmp.Or(t.KeepPushTime, under.KeepPushTime)
	t.Gauge = cmp.Or(t.Gauge, under.Gauge)
	t.Strip = cmp.Or(t.Strip, under.Strip)
	t.Lenient = cmp.Or(t.Lenient, under.Lenient)
	if t.DropLabels == nil {
		t.DropLabels = under.DropLabels
	}
	return t
}

// said returns what v points to, the zero value where nothing was said.
func said[V any](v *V) (value V) {
	if v != nil {
		value = *v
	}
	return value
}

// lifetime returns what t says about how long a group stays and how often it is pushed to.
func (t Terms) lifetime() lifetime {
	return lifetime{ttl: int64(said(t.TTL)), every: int64(said(t.Every)), keep: int64(said(t.KeepPushTime))}
}

// option is one thing that a client may say in the option prefix of a path.
type option struct {
	name, example string
	set           func(t *Terms, value string) error
}

func options() []option {
	return []option{
		{"mode", "mode=add", func(t *Terms, value string) (err error) {
			t.Mode, err = oneOf(value, map[string]Mode{
				"replace-group": ReplaceGroup, "replace-family": ReplaceFamily, "upsert": Upsert, "add": Add,
			})
			return err
		}},
		{"ttl", "ttl=90s", func(t *Terms, value string) (err error) {
			t.TTL, err = duration(value)
			return err
		}},
		{"every", "every=24h", func(t *Terms, value string) (err error) {
			t.Every, err = duration(value)
			return err
		}},
		{"gauge", "gauge=max", func(t *Terms, value string) (err error) {
			t.Gauge, err = oneOf(value, exposition.GaugeRules())
			return err
		}},
		{"timestamps", "timestamps=strip", func(t *Terms, value string) (err error) {
			t.Strip, err = oneOf(value, map[string]bool{"strip": true, "reject": false})
			return err
		}},
		{"text", "text=lenient", func(t *Terms, value string) (err error) {
			t.Lenient, err = oneOf(value, map[string]bool{"lenient": true, "strict": false})
			return err
		}},
	}
}

// ParseTerms reads options as they stand in a path, "ttl=90s,mode=add". The error is a *Refusal of kind
// Malformed that lists what may be said.
func ParseTerms(text string) (Terms, error) {
	var t Terms
	known, seen := options(), map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		at := slices.IndexFunc(known, func(o option) bool { return o.name == name })
		switch {
		case at < 0:
			return Terms{}, badOption(fmt.Sprintf("unknown option %.64q", part))
		case seen[name]:
			return Terms{}, badOption(fmt.Sprintf("option %q is given twice", name))
		}
		seen[name] = true
		if err := known[at].set(&t, value); err != nil {
			return Terms{}, badOption(fmt.Sprintf("option %s: %v", name, err))
		}
	}
	return t, nil
}

func badOption(message string) *Refusal {
	var examples []string
	for _, o := range options() {
		examples = append(examples, o.example)
	}
	return malformed("option", message, "options are "+strings.Join(examples, ", ")+", joined by commas: /with/ttl=90s,mode=add/metrics/job/…")
}

func oneOf[V any](value string, choices map[string]V) (*V, error) {
	if v, known := choices[value]; known {
		return &v, nil
	}
	return nil, fmt.Errorf("%.64q is none of %s", value, strings.Join(slices.Sorted(maps.Keys(choices)), ", "))
}

// duration reads a duration as Prometheus writes it, such as 90s or 1d12h; 0 needs no unit.
func duration(value string) (*time.Duration, error) {
	d, err := model.ParseDuration(value)
	if err != nil {
		return nil, fmt.Errorf("%.64q is no duration such as 90s, 24h or 7d", value)
	}
	return new(time.Duration(d)), nil
}
