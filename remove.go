package holdfast

// removedAtOnce is how many groups at most are removed in one commit. While a commit is installed, which
// takes some microseconds a group, no other change is.
const removedAtOnce = 250

// Removal is what Remove did.
type Removal struct {
	Totals Totals // of what went
	Keys   []Key  // of the first groups that went, by key, up to the limit of the query
}

// Remove deletes the groups that a query asks for at this moment, by key, some at a time; the query's
// order and cursor do not count. Pushes go on meanwhile: a group that changed since is looked at again,
// and one that is new stays. On an error, which is a *Refusal, some groups may be gone: the Removal says
// which.
func (g *Gateway) Remove(q Query) (Removal, error) {
	var removal Removal
	if err := g.Ready(); err != nil {
		return removal, err
	}
	snap := g.index.snapshot()
	f := newFilter(&q, snap.masks(g.index.own))
	var chunk []*Group
	for _, group := range snap.order.all() {
		if !f.passes(group, f.masks.of(group)) {
			continue
		}
		if chunk = append(chunk, group); len(chunk) < removedAtOnce {
			continue
		}
		if err := g.removeChunk(f, chunk, &removal); err != nil {
			return removal, err
		}
		chunk = chunk[:0]
	}
	return removal, g.removeChunk(f, chunk, &removal)
}

// removeChunk deletes groups in one commit, but for those that changed and are no longer asked for.
func (g *Gateway) removeChunk(f *filter, chunk []*Group, removal *Removal) error {
	deletes := make([]change, len(chunk))
	batches := make([]keyBatch, len(chunk))
	for i, seen := range chunk {
		deletes[i] = change{key: seen.key, only: func(now *Group) bool {
			return now == seen || f.passes(now, f.masks.of(now))
		}}
		batches[i] = keyBatch{seen.key, []*change{&deletes[i]}}
	}
	answers, kept := g.together(batches, false)
	for i, seen := range chunk {
		if !kept {
			if err := answers[i][0]; err != nil {
				return err
			}
			continue
		}
		if deletes[i].removed {
			removal.Totals.add(seen, f.masks.of(seen))
			if len(removal.Keys) < f.query.Limit {
				removal.Keys = append(removal.Keys, seen.key)
			}
		}
	}
	return nil
}
