package exposition

import (
	"fmt"

	"github.com/prometheus/common/model"
)

// distinct checks that no two metrics of the sorted rows have the same labels, as they are and under
// each escaping scheme.
func (c *checker) distinct(rows []row) error {
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && compareAsExposed(rows[from].labels, rows[to].labels) == 0 {
			to++
		}
		// Only metrics that compare equal can be equal, but names do not count in that order.
		if twin := firstTwin(rows[from:to], model.NoEscaping); twin != nil {
			return c.family.invalid(twin.labels, ReasonDuplicate,
				"was collected before with the same name and label values",
				"push each label set of a family once")
		}
		from = to
	}
	if !c.escaped || c.shapes < 2 {
		return nil // within one set of names, names that stay different keep metrics different
	}
	for _, s := range schemes() {
		if twin := firstTwin(rows, s); twin != nil {
			return c.family.invalid(twin.labels, ReasonEscaping,
				fmt.Sprintf("is the same as another metric of the family once label names are escaped with %q", s),
				"use the same label names in all metrics of the family")
		}
	}
	return nil
}

// firstTwin returns the first row whose labels equal those of one before it, with names in the form of
// the scheme; nil where there is none.
func firstTwin(rows []row, s model.EscapingScheme) *row {
	if len(rows) < 2 {
		return nil
	}
	seen := make(map[string]struct{}, len(rows))
	var key []byte
	var form Labels
	for i := range rows {
		form = escapeLabels(form[:0], rows[i].labels, s)
		key = appendLabelPairs(key[:0], form)
		if _, twin := seen[string(key)]; twin {
			return &rows[i]
		}
		seen[string(key)] = struct{}{}
	}
	return nil
}
