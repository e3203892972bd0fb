package web

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// The drawing area of a line plot. It is stretched to the room it gets, so the units have no meaning.
const (
	plotWidth  = 600
	plotHeight = 100
	plotPoints = 180 // points drawn of a longer history
)

// linePlot draws points over the last hour, with an area below the line. The top of the plot is the
// returned greatest value; its foot is zero.
func linePlot(points []point, now time.Time) (svg template.HTML, top float64) {
	step := max(1, (len(points)+plotPoints-1)/plotPoints)
	for _, p := range points {
		top = max(top, p.value)
	}
	scale := top
	if scale == 0 {
		scale = 1
	}
	var line strings.Builder
	firstX, lastX, drawn := 0.0, 0.0, 0
	for i, p := range points {
		if (len(points)-1-i)%step != 0 {
			continue
		}
		x := plotWidth * (1 - now.Sub(p.at).Seconds()/time.Hour.Seconds())
		if x < 0 {
			continue
		}
		if drawn == 0 {
			firstX = x
		}
		lastX = x
		drawn++
		fmt.Fprintf(&line, "%.1f,%.1f ", x, plotHeight-p.value/scale*(plotHeight-6))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="plot" viewBox="0 0 %d %d" preserveAspectRatio="none" aria-hidden="true" focusable="false">`, plotWidth, plotHeight)
	fmt.Fprintf(&b, `<path class="grid" d="M0 6H%d M0 %dH%d"/>`, plotWidth, plotHeight/2+3, plotWidth)
	if drawn > 1 {
		fmt.Fprintf(&b, `<polygon class="area" points="%.1f,%d %s%.1f,%d"/>`, firstX, plotHeight, line.String(), lastX, plotHeight)
		fmt.Fprintf(&b, `<polyline class="line" points="%s"/>`, strings.TrimSpace(line.String()))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()), top //nolint:gosec // numbers only
}

// bar is one bar of a plot.
type bar struct {
	label string // what it stands for
	value float64
	text  string // the value for people
	gap   bool   // nothing lies between this bar and the one before for a while
}

// barPlot draws bars side by side, each with a title that says what it is.
func barPlot(bars []bar, label string) template.HTML {
	const height, most = 64.0, 24.0
	top := 0.0
	slots := 0
	for _, one := range bars {
		top = max(top, one.value)
		slots++
		if one.gap {
			slots++
		}
	}
	if slots == 0 || top == 0 || math.IsInf(top, 0) {
		return ""
	}
	width := min(most, 480/float64(slots))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="bars" viewBox="0 0 %.1f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`,
		width*float64(slots), height, width*float64(slots), height, template.HTMLEscapeString(label))
	x := 0.0
	for _, one := range bars {
		if one.gap {
			fmt.Fprintf(&b, `<path class="gap" d="M%.1f %.0fh%.1f"/>`, x+width*0.2, height-1, width*0.6)
			x += width
		}
		tall := 0.0
		if one.value > 0 {
			tall = max(1.5, one.value/top*(height-2))
		}
		fmt.Fprintf(&b, `<g><title>%s: %s</title><rect class="room" x="%.1f" y="0" width="%.1f" height="%.0f"/>`,
			template.HTMLEscapeString(one.label), template.HTMLEscapeString(one.text), x, width, height)
		fmt.Fprintf(&b, `<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/></g>`, x+width*0.08, height-tall, width*0.84, tall)
		x += width
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers and escaped text
}

// classicBars returns what lies between the bounds of a classic histogram.
func classicBars(h *dto.Histogram) []bar {
	var bars []bar
	lower, below := "-Inf", 0.0
	for _, bucket := range h.GetBucket() {
		total := float64(bucket.GetCumulativeCount())
		if f := bucket.GetCumulativeCountFloat(); f > 0 {
			total = f
		}
		upper := number(bucket.GetUpperBound())
		inside := max(0, total-below)
		bars = append(bars, bar{label: "(" + lower + ", " + upper + "]", value: inside, text: grouped(inside)})
		lower, below = upper, total
	}
	all := float64(h.GetSampleCount())
	if f := h.GetSampleCountFloat(); f > 0 {
		all = f
	}
	if len(bars) > 0 && lower != "+Inf" && all > below {
		bars = append(bars, bar{label: "(" + lower + ", +Inf]", value: all - below, text: grouped(all - below)})
	}
	return bars
}

// nativeBars returns the buckets of a native histogram that hold something.
func nativeBars(h *dto.Histogram) []bar {
	var bars []bar
	last := math.NaN()
	for bucket := range nativeBuckets(h) {
		left, right := interval(bucket.bounds)
		bars = append(bars, bar{
			label: left + short(bucket.lower) + ", " + short(bucket.upper) + right,
			value: bucket.count, text: grouped(bucket.count),
			gap: len(bars) > 0 && bucket.lower > last,
		})
		last = bucket.upper
	}
	return bars
}

// interval returns the mathematical brackets of a bucket.
func interval(b boundaries) (left, right string) {
	left, right = "(", "]"
	if b != openLeft {
		left = "["
	}
	if b == openRight {
		right = ")"
	}
	return left, right
}

// quantileBars returns a bar for each quantile of a summary that has a value.
func quantileBars(s *dto.Summary) []bar {
	var bars []bar
	for _, q := range s.GetQuantile() {
		if v := q.GetValue(); v >= 0 && !math.IsInf(v, 0) {
			bars = append(bars, bar{label: number(q.GetQuantile()), value: v, text: plain(v)})
		}
	}
	return bars
}
