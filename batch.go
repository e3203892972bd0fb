package holdfast

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// pushedAtOnce is how many pushes of a batch at most are kept in one commit, unless all must be. While a
// commit is installed, which takes some microseconds a group, no other change is.
const pushedAtOnce = removedAtOnce

// ParseLabels makes a key of labels by name, as they stand in a batch. Its errors are of kind Malformed.
func ParseLabels(labels map[string]string, names model.ValidationScheme) (Key, error) {
	sorted := make(exposition.Labels, 0, len(labels))
	for name, value := range labels {
		if !names.IsValidLabelName(name) {
			return Key{}, malformed("label_name", fmt.Sprintf("improper label name %q", name), labelNameHint(names))
		}
		sorted = append(sorted, exposition.Label{Name: name, Value: value})
	}
	slices.SortFunc(sorted, compareNames)
	return checkedKey(sorted)
}

// PushAll applies pushes, those of one key in order, many of them in one commit of the engine. If whole,
// all are kept or none. It returns the answer to each, nil or a *Refusal, and whether those without a
// refusal are kept.
func (g *Gateway) PushAll(pushes []Push, whole bool) (answers []error, kept bool) {
	answers, kept = make([]error, len(pushes)), true
	if err := g.Ready(); err != nil {
		return slices.Repeat([]error{err}, len(pushes)), false
	}
	g.way.note(time.Now())
	size := pushedAtOnce
	if whole {
		size = max(1, len(pushes))
	}
	for start := 0; start < len(pushes); start += size {
		end := min(start+size, len(pushes))
		kept = g.pushChunk(pushes[start:end], answers[start:end], whole) && kept
	}
	g.trimFailures()
	for _, err := range answers {
		_ = g.meters.refused(err)
	}
	return answers, kept
}

// pushChunk applies pushes in one commit and fills their answers in.
func (g *Gateway) pushChunk(pushes []Push, answers []error, whole bool) (kept bool) {
	var batches []keyBatch
	var places [][]int // of the changes of each batch, in answers
	of := map[Key]int{}
	for i := range pushes {
		p := &pushes[i]
		c := p.change()
		ready, err := p.prepare(g.Limits)
		if refusal, refused := err.(*Refusal); refused {
			answers[i] = refusal
			if whole || !refusal.Kind.noted() {
				continue
			}
			c.refusal = refusal
		}
		c.push = ready
		at, known := of[p.Key]
		if !known {
			at = len(batches)
			of[p.Key] = at
			batches, places = append(batches, keyBatch{key: p.Key}), append(places, nil)
		}
		batches[at].changes, places[at] = append(batches[at].changes, c), append(places[at], i)
	}
	if whole && slices.ContainsFunc(answers, func(err error) bool { return err != nil }) {
		return false
	}
	found, kept := g.together(batches, whole)
	for at, each := range found {
		for i, err := range each {
			answers[places[at][i]] = err
		}
	}
	return kept
}
