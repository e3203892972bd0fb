package exposition

import (
	"cmp"
	"slices"
	"strings"
)

// Label is one label pair.
type Label struct{ Name, Value string }

// Labels is a label set, sorted bytewise by name.
type Labels []Label

// Get returns the value of the named label and whether the set has it.
func (ls Labels) Get(name string) (string, bool) {
	if i := ls.index(name); i >= 0 {
		return ls[i].Value, true
	}
	return "", false
}

// index returns the place of the first label of that name, or -1.
func (ls Labels) index(name string) int {
	for i := range ls {
		if ls[i].Name == name {
			return i
		}
	}
	return -1
}

// String renders the set as {a="1",b="2"}, in the escaping of the text format.
func (ls Labels) String() string {
	b := append([]byte(nil), '{')
	b = appendPairs(b, ls)
	b = append(b, '}')
	return string(b)
}

// fewLabels is up to which number moving each label into place beats a general sort.
const fewLabels = 16

// sort orders the labels by name. Labels of one name keep their order.
func (ls Labels) sort() {
	if len(ls) > fewLabels {
		slices.SortStableFunc(ls, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
		return
	}
	for i := 1; i < len(ls); i++ {
		for j := i; j > 0 && ls[j].Name < ls[j-1].Name; j-- {
			ls[j], ls[j-1] = ls[j-1], ls[j]
		}
	}
}

// sameNames reports whether both sets have the same names in the same order.
func (ls Labels) sameNames(other Labels) bool {
	return slices.EqualFunc(ls, other, func(a, b Label) bool { return a.Name == b.Name })
}

// compareAsExposed orders the metrics of a family: fewer labels first, then by the values in the order
// of the names. The names themselves do not count.
func compareAsExposed(a, b Labels) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	for i := range a {
		if c := strings.Compare(a[i].Value, b[i].Value); c != 0 {
			return c
		}
	}
	return 0
}
