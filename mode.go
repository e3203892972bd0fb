package holdfast

// merge returns what a pushed family makes of its namesake in the group before, which is the zero Member
// where there is none.
func (p *prepared) merge(_ *Group, _, pushed Member) (Member, *Refusal) {
	return pushed, nil
}

// mixing refuses to add to a group that does not add up, or the other way round.
func mixing(g *Group, mode Mode) *Refusal {
	r := &Refusal{Kind: Mixing, Reason: "mixing", Other: g.key}
	if mode == Add {
		r.Message = "the group holds values that were not added up, so nothing can be added to it"
		r.Hint = "push with mode=add to another grouping key, or delete the group first"
	} else {
		r.Message = "the values of the group are added up, so they cannot be replaced"
		r.Hint = "push with /with/mode=add/ in front of /metrics/, to another grouping key, or delete the group first"
	}
	r.Where = "group " + g.key.String()
	return r
}
