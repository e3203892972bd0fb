package exposition

import (
	"strings"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// resolve puts the family that a sample name stands for in force, a new one where there is none. The
// name of a part of a summary or histogram stands for that, if its type came first. What a name stands
// for never changes.
func (d *textDecoder) resolve(name string) error {
	if name == d.lastName && name != "" {
		d.target = d.lastTarget
		return nil
	}
	t, ok := d.known[name]
	if !ok {
		if !d.names.IsValidMetricName(name) {
			return d.errorf("invalid metric name %q", name)
		}
		if t, ok = d.partOf(name); !ok {
			t = target{head: len(d.heads)}
			d.heads = append(d.heads, head{name: name})
		}
		d.known[name] = t
	}
	d.target, d.lastName, d.lastTarget = t, name, t
	return nil
}

// partOf finds the summary or histogram that has samples of the name.
func (d *textDecoder) partOf(name string) (target, bool) {
	for _, suffix := range [...]string{"_count", "_sum", "_bucket"} {
		base, cut := strings.CutSuffix(name, suffix)
		if !cut || base == "" {
			continue
		}
		whole, known := d.known[base]
		if !known || d.heads[whole.head].name != base {
			return target{}, false
		}
		k := d.heads[whole.head].kind()
		switch {
		case k == ofNumber, k == ofQuantiles && suffix == "_bucket":
			return target{}, false
		case suffix == "_count":
			whole.part = countPart
		case suffix == "_sum":
			whole.part = sumPart
		}
		return whole, true
	}
	return target{}, false
}

// resolveSample is resolve for a sample, which settles the type of a family that has none yet.
func (d *textDecoder) resolveSample(name string) error {
	if err := d.resolve(name); err != nil {
		return err
	}
	if h := &d.heads[d.head]; !h.typed {
		h.typ, h.typed = dto.MetricType_UNTYPED, true
	}
	return nil
}

// labelSet reads from the opening brace to the first byte of the value. inside tells whether the metric
// name is still to come.
func (d *textDecoder) labelSet(inside bool) error {
	from, named := len(d.labels), !inside
	for d.body[d.at] != '}' {
		d.at++ // the brace or the comma
		if err := d.skipBlanks(); err != nil {
			return err
		}
		if d.body[d.at] == '}' {
			break
		}
		name, quoted, err := d.name("label", false)
		if err != nil {
			return err
		}
		if name == "" {
			return d.errorf("invalid label name for metric %q", d.familyName())
		}
		if err := d.skipBlanks(); err != nil {
			return err
		}
		if d.body[d.at] == '=' {
			err = d.label(from, name, quoted)
		} else {
			err = d.nameInside(name, inside, named)
			named = true
		}
		if err != nil {
			return err
		}
	}
	if !named {
		return d.errorf("invalid metric name")
	}
	d.at++
	return d.skipBlanks()
}

// nameInside takes a name without a value, which is that of the metric.
func (d *textDecoder) nameInside(name string, inside, named bool) error {
	c := d.body[d.at]
	switch {
	case !inside:
		return d.errorf("expected '=' after label name, found %q", c)
	case named:
		return d.errorf("multiple metric names for metric %q", d.familyName())
	case c != ',' && c != '}':
		return d.errorf("unexpected end of metric name %q", c)
	}
	return d.resolveSample(name)
}

// label reads from the equals sign of a label to the comma or brace behind it. from is where the labels
// of the line begin.
func (d *textDecoder) label(from int, name string, quoted bool) error {
	if name == model.MetricNameLabel {
		return d.errorf("label name %q is reserved", name)
	}
	if quoted && !d.names.IsValidLabelName(name) {
		return d.errorf("invalid label name %q", name)
	}
	kind := d.kind()
	bounds := kind == ofQuantiles && name == model.QuantileLabel || kind == ofBounds && name == model.BucketLabel
	if !bounds && d.repeats(from, name) {
		return d.errorf("duplicate label names for metric %q", d.familyName())
	}
	text, err := d.labelValue()
	if err != nil {
		return err
	}
	switch {
	case !bounds:
		d.labels = append(d.labels, Label{name, text})
		if kind != ofNumber && !d.identity.add(name, text) {
			return d.errorf("labels of %q stand in braces with its name, but not right behind a line of its family", d.familyName())
		}
	case kind == ofQuantiles:
		err = d.setBound(&d.quantile, name, text)
	default:
		err = d.setBound(&d.bound, name, text)
	}
	if err != nil {
		return err
	}
	d.at++ // the closing quote
	if err := d.skipBlanks(); err != nil {
		return err
	}
	if c := d.body[d.at]; c != ',' && c != '}' {
		return d.errorf("unexpected end of label value %q", text)
	}
	return nil
}

// labelValue reads from the equals sign to the closing quote.
func (d *textDecoder) labelValue() (string, error) {
	d.at++
	if err := d.skipBlanks(); err != nil {
		return "", err
	}
	if c := d.body[d.at]; c != '"' {
		return "", d.errorf("expected '\"' at start of label value, found %q", c)
	}
	d.at++
	text, err := d.quoted(d.at, d.at, "label value")
	if err == nil && !utf8.ValidString(text) {
		err = d.errorf("invalid label value %q", text)
	}
	return text, err
}

// setBound takes the value of a label that bounds a quantile or a bucket.
func (d *textDecoder) setBound(bound *float64, label, text string) error {
	f, ok := parseFloat(text)
	if !ok {
		return d.errorf("expected float as value for '%s' label, got %q", label, text)
	}
	*bound = f
	return nil
}

// manyLabels is from which number on a set beats looking at each label.
const manyLabels = 24

// repeats reports whether the line has a label of the name already. from is where its labels begin.
func (d *textDecoder) repeats(from int, name string) bool {
	labels := d.labels[from:]
	if len(labels) < manyLabels {
		return labels.index(name) >= 0
	}
	if len(labels) == manyLabels {
		clear(d.seen)
		for _, l := range labels {
			d.seen[l.Name] = true
		}
	}
	if d.seen[name] {
		return true
	}
	d.seen[name] = true
	return false
}

// value reads a value and gives it its row. from is where the labels of the line begin.
func (d *textDecoder) value(from int) (*draft, error) {
	row := d.row(from)
	word, err := d.word()
	if err != nil {
		return nil, err
	}
	number, ok := parseFloat(word)
	if !ok {
		return nil, d.errorf("expected float as value, got %q", word)
	}
	row.metric.typed = true
	switch d.kind() {
	case ofNumber:
		row.metric.value.number = number
	case ofQuantiles:
		row.metric.summarised = true
		d.slabs.observe(&row.metric.value, d.part, d.quantile, number)
	default:
		if problem := d.slabs.count(&row.metric.value, d.part, d.bound, number); problem != "" {
			return nil, d.errorf("negative %s for histogram %q", problem, d.familyName())
		}
	}
	return row, nil
}

// row returns the row of the line at hand: a new one, or that of the summary or histogram it is part of,
// in which case its labels are let go.
func (d *textDecoder) row(from int) *draft {
	var rows map[uint64]int
	switch d.kind() {
	case ofQuantiles:
		rows = d.summaries
	case ofBounds:
		rows = d.counts
	}
	if rows != nil {
		if i, found := rows[d.identity.sum]; found {
			clear(d.labels[from:])
			d.labels = d.labels[:from]
			return &d.rows[i]
		}
		rows[d.identity.sum] = len(d.rows)
	}
	d.heads[d.head].metrics++
	d.rows = append(d.rows, draft{head: d.head, from: from, to: len(d.labels)})
	return &d.rows[len(d.rows)-1]
}
