package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// labelList is a flag that collects NAME=VALUE.
type labelList []exposition.Label

// Set implements kingpin.Value.
func (l *labelList) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return fmt.Errorf("label %q is not written NAME=VALUE", text)
	}
	*l = append(*l, exposition.Label{Name: name, Value: value})
	return nil
}

// String implements kingpin.Value.
func (l *labelList) String() string {
	var all []string
	for _, label := range *l {
		all = append(all, label.Name+"="+label.Value)
	}
	return strings.Join(all, ",")
}

// IsCumulative tells kingpin that the flag may be repeated.
func (l *labelList) IsCumulative() bool { return true }

// span is a flag for a time as Prometheus writes it, such as 90s, 24h or 7d.
type span time.Duration

// Set implements kingpin.Value.
func (s *span) Set(text string) error {
	d, err := model.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no time such as 90s, 24h or 7d", text)
	}
	*s = span(d)
	return nil
}

// String implements kingpin.Value.
func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return model.Duration(*s).String()
}
