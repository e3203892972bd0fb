package web

import (
	"math"
	"strings"
	"time"
)

// A unit is what a number counts, as far as its family tells.
type unit uint8

const (
	noUnit unit = iota
	inBytes
	inSeconds
	inUnixSeconds // seconds since 1970
	asRatio
)

// unitOf guesses the unit of a family from its declared unit and its name, which carry it by convention.
func unitOf(name, declared string) unit {
	name = strings.TrimSuffix(strings.ToLower(name), "_total")
	switch {
	case strings.HasSuffix(name, "_timestamp_seconds"), strings.HasSuffix(name, "_timestamp"),
		strings.HasSuffix(name, "_time_seconds") && (strings.HasPrefix(name, "push_") || strings.Contains(name, "start_") || strings.Contains(name, "last_")),
		strings.Contains(name, "last_success") && strings.HasSuffix(name, "_seconds"):
		return inUnixSeconds
	case declared == "bytes" || strings.HasSuffix(name, "_bytes"):
		return inBytes
	case declared == "seconds" || strings.HasSuffix(name, "_seconds"):
		return inSeconds
	case declared == "ratio" || strings.HasSuffix(name, "_ratio"):
		return asRatio
	}
	return noUnit
}

// Numbers of seconds between these are taken for moments: 2001 to 2096.
const (
	firstMoment = 1e9
	lastMoment  = 4e9
)

// easy writes a value for people; "" where that would say no more than the number itself.
func (t *tongue) easy(value float64, u unit) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return ""
	}
	switch {
	case u == inBytes && math.Abs(value) >= 1024:
		return bytesText(value)
	case u == inUnixSeconds && value == 0:
		return t.say("never")
	case (u == inUnixSeconds || u == inSeconds) && value >= firstMoment && value < lastMoment:
		at := time.UnixMilli(int64(value * 1000))
		return clock(at) + " · " + t.ago(at)
	case u == inSeconds && value != 0:
		return t.span(value)
	case u == asRatio:
		return short(value*100) + " %"
	case u == noUnit && math.Abs(value) >= 1e4:
		return grouped(value)
	}
	return ""
}
