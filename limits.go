package holdfast

import (
	"fmt"
	"time"

	"holdfast/internal/exposition"
)

// Limits bounds what the gateway keeps. 0 is no limit.
type Limits struct {
	LabelBytes     int64 // name and value of one label
	SeriesPerGroup int64
	Groups         int64
	Series         int64 // over all groups, the two of each group among them
	FailedGroups   int64 // that never saw an accepted push; the oldest failure leaves first
	FailedGroupTTL time.Duration
	// IdempotencyKeys that are remembered at a time.
	IdempotencyKeys int64
}

// checkLabels refuses a grouping key with a label over the limit.
func (l Limits) checkLabels(labels exposition.Labels) error {
	if l.LabelBytes == 0 {
		return nil
	}
	for _, label := range labels {
		if size := int64(len(label.Name) + len(label.Value)); size > l.LabelBytes {
			return overLimit(TooLarge, "label-bytes", fmt.Sprintf("label %.64q has %d bytes, which is over the limit of %d", label.Name, size, l.LabelBytes),
				"shorten the value: long texts do not belong into labels")
		}
	}
	return nil
}

// checkTexts refuses a family whose name, help or unit is over the limit of labels.
func (l Limits) checkTexts(f *exposition.Family) error {
	for what, text := range map[string]string{"name": f.Name, "HELP": f.Help, "unit": f.Unit} {
		if l.LabelBytes > 0 && int64(len(text)) > l.LabelBytes {
			r := overLimit(TooLarge, "label-bytes", fmt.Sprintf("the %s of a metric family has %d bytes, which is over the limit of %d", what, len(text), l.LabelBytes), "shorten it")
			r.Where = fmt.Sprintf("family %.64q", f.Name)
			return r
		}
	}
	return nil
}

// checkBlock refuses a family with a label over the limit. A block that is smaller as a whole needs no
// look inside.
func (l Limits) checkBlock(family string, b *exposition.Block) error {
	if l.LabelBytes == 0 || int64(b.Size()) <= l.LabelBytes {
		return nil
	}
	for _, labels := range b.EachSeries() {
		if err := l.checkLabels(labels); err != nil {
			refusal := err.(*Refusal)
			refusal.Where = "metric " + family
			return refusal
		}
	}
	return nil
}

// checkGrowth refuses a change that raises a count over its limit; one that raises none always passes.
// Totals are what is stored and reserved, without the change; groups that never saw an accepted push do
// not count.
func (l Limits) checkGrowth(before, after *Group, groups, series int) error {
	held := 0
	if before != nil {
		held = before.series
	}
	if l.SeriesPerGroup > 0 && int64(after.series) > l.SeriesPerGroup && after.series > held {
		return overLimit(TooLarge, "series-per-group", fmt.Sprintf("group %s would have %d series, which is over the limit of %d", after.key, after.series, l.SeriesPerGroup),
			"split the series over several grouping keys, or push fewer")
	}
	if (before == nil || before.pushed == 0) && l.Groups > 0 && int64(groups) >= l.Groups {
		return overLimit(TooMany, "groups", fmt.Sprintf("the gateway holds %d groups, which is its limit", groups),
			"delete groups that are no longer needed, push to an existing grouping key, or raise the limit")
	}
	if total := int64(series + after.series - held); l.Series > 0 && total > l.Series && after.series > held {
		return overLimit(TooMany, "series", fmt.Sprintf("the gateway would hold %d series, which is over its limit of %d", total, l.Series),
			"delete groups that are no longer needed, or raise the limit")
	}
	return nil
}

func overLimit(kind Kind, limit, message, hint string) *Refusal {
	r := &Refusal{Kind: kind, Reason: limit, Message: message, Hint: hint + " (--limit." + limit + ")"}
	if kind == TooMany {
		r.RetryAfter = retryAfter
	}
	return r
}
