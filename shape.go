package holdfast

import "slices"

// shapes counts groups by the label names of their keys, as a tree over sorted names, so that all
// shapes that lie within a given set of names are found by walking only what exists.
//
// Two groups whose keys have the same names can never hold an equal series, since every metric carries
// its group's labels. So a series has to be compared with just those groups whose shape lies within the
// series' own label names.
type shapes struct {
	groups int // whose key has exactly the names on the way here
	next   map[string]*shapes
}

// add changes the number of groups of a shape. Nodes that count nothing and lead nowhere are dropped.
func (s *shapes) add(names []string, delta int) {
	if len(names) == 0 {
		s.groups += delta
		return
	}
	child := s.next[names[0]]
	if child == nil {
		child = &shapes{}
		if s.next == nil {
			s.next = map[string]*shapes{}
		}
		s.next[names[0]] = child
	}
	child.add(names[1:], delta)
	if child.groups == 0 && len(child.next) == 0 {
		delete(s.next, names[0])
	}
}

// only reports whether all groups have this one shape.
func (s *shapes) only(names []string) bool {
	for _, name := range names {
		child := s.next[name]
		if s.groups > 0 || child == nil || len(s.next) != 1 {
			return false
		}
		s = child
	}
	return len(s.next) == 0
}

// within yields each shape whose names are all among the given ones, both sorted. The yielded slice is
// reused.
func (s *shapes) within(names []string, path []string, yield func(shape []string) bool) bool {
	if s.groups > 0 && !yield(path) {
		return false
	}
	if len(s.next) == 0 {
		return true
	}
	for i, name := range names {
		child := s.next[name]
		if child != nil && !child.within(names[i+1:], append(path, name), yield) {
			return false
		}
	}
	return true
}

// empty reports whether no group is counted.
func (s *shapes) empty() bool { return s.groups == 0 && len(s.next) == 0 }

// shapeOf returns the sorted label names of a key.
func shapeOf(key Key) []string {
	labels := key.Labels()
	names := make([]string, 0, len(labels))
	for _, l := range labels {
		names = append(names, l.Name)
	}
	return names
}

// keyShape is the shape of a key, taken from it when it is first asked for: a steady push never asks.
type keyShape struct {
	key   Key
	known []string
}

func (s *keyShape) names() []string {
	if s.known == nil {
		s.known = shapeOf(s.key)
	}
	return s.known
}

// escaped returns what the shape becomes under each scheme where it changes.
func (s *keyShape) escaped() [][]string {
	var shapes [][]string
	for _, form := range keyForms(s.key) {
		if shape := shapeOf(Key{form}); !slices.ContainsFunc(shapes, func(known []string) bool { return slices.Equal(known, shape) }) {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}
