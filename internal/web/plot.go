package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// The drawing area of a line plot, as the template has it. It is stretched to the room it gets, so the
// units have no meaning.
const (
	plotWidth  = 600
	plotHeight = 100
	plotPoints = 180 // points drawn of a longer history
)

// lineView is the drawing of a line plot: points as SVG writes them, "" where there is nothing to draw.
type lineView struct{ Line, Area string }

// linePlot draws points over the last hour, with an area below the line. The top of the plot is the
// returned greatest value; its foot is zero.
func linePlot(points []point, now time.Time) (plot lineView, top float64) {
	step := max(1, (len(points)+plotPoints-1)/plotPoints)
	for _, p := range points {
		top = max(top, p.value)
	}
	scale := top
	if scale == 0 {
		scale = 1
	}
	var line []string
	firstX, lastX := 0.0, 0.0
	for i, p := range points {
		x := plotWidth * (1 - now.Sub(p.at).Seconds()/time.Hour.Seconds())
		if (len(points)-1-i)%step != 0 || x < 0 {
			continue
		}
		if len(line) == 0 {
			firstX = x
		}
		lastX = x
		line = append(line, fmt.Sprintf("%.1f,%.1f", x, plotHeight-p.value/scale*(plotHeight-6)))
	}
	if len(line) < 2 {
		return lineView{}, top
	}
	plot.Line = strings.Join(line, " ")
	plot.Area = fmt.Sprintf("%.1f,%d %s %.1f,%d", firstX, plotHeight, plot.Line, lastX, plotHeight)
	return plot, top
}

// bar is one bar of a plot.
type bar struct {
	label string // what it stands for
	value float64
	text  string // the value for people
	gap   bool   // nothing lies between this bar and the one before for a while
}

// barsView is the drawing of a bar plot, in pixels.
type barsView struct {
	Label         string
	Width, Height tenths
	Bars          []barView
}

// barView is a drawn bar, with the room above it, and the gap before it where there is one.
type barView struct {
	Title        string
	Gap          *gapView
	Room, Wide   tenths // left side and width of its room
	Left, Top    tenths
	Across, Tall tenths
}

type gapView struct{ Left, Foot, Across tenths }

// tenths is a number as SVG gets it here.
type tenths float64

// String writes one digit behind the point.
func (n tenths) String() string { return strconv.FormatFloat(float64(n), 'f', 1, 64) }

// barPlot draws bars side by side, each with a title that says what it is; nil where there is nothing to
// draw.
func barPlot(bars []bar, label string) *barsView {
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
		return nil
	}
	width := min(most, 480/float64(slots))
	plot := &barsView{Label: label, Width: tenths(width * float64(slots)), Height: height}
	x := 0.0
	for _, one := range bars {
		drawn := barView{Title: one.label + ": " + one.text}
		if one.gap {
			drawn.Gap = &gapView{tenths(x + width*0.2), height - 1, tenths(width * 0.6)}
			x += width
		}
		tall := 0.0
		if one.value > 0 {
			tall = max(1.5, one.value/top*(height-2))
		}
		drawn.Room, drawn.Wide = tenths(x), tenths(width)
		drawn.Left, drawn.Across = tenths(x+width*0.08), tenths(width*0.84)
		drawn.Top, drawn.Tall = tenths(height-tall), tenths(tall)
		plot.Bars = append(plot.Bars, drawn)
		x += width
	}
	return plot
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
