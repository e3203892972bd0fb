package holdfast

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// within must find exactly the shapes that are subsets, and counts must cancel out to an empty tree.
func TestShapesAgainstSubsets(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	alphabet := strings.Split("abcdefgh", "")
	subset := func() []string {
		var names []string
		for _, name := range alphabet {
			if random.IntN(3) == 0 {
				names = append(names, name)
			}
		}
		return names
	}
	var tree shapes
	var held [][]string
	for range 200 {
		names := subset()
		held = append(held, names)
		tree.add(names, 1)
	}
	for range 200 {
		series := subset()
		want := map[string]bool{}
		for _, names := range held {
			if !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(series, n) }) {
				want[strings.Join(names, "")] = true
			}
		}
		tree.within(series, nil, func(shape []string) bool {
			if name := strings.Join(shape, ""); !want[name] {
				t.Errorf("%q was found within %q twice or wrongly", name, series)
			} else {
				delete(want, name)
			}
			return true
		})
		if len(want) > 0 {
			t.Errorf("not found within %q: %v", series, want)
		}
	}
	for _, names := range held {
		tree.add(names, -1)
	}
	if !tree.empty() {
		t.Errorf("the tree is not empty after all shapes are gone: %+v", tree)
	}
}

func TestShapesOnly(t *testing.T) {
	var tree shapes
	tree.add([]string{"job"}, 1)
	tree.add([]string{"job"}, 1)
	if !tree.only([]string{"job"}) || tree.only([]string{"a", "job"}) || tree.only(nil) {
		t.Error("a tree of one shape must know it as its only one")
	}
	tree.add([]string{"job", "zone"}, 1)
	if tree.only([]string{"job"}) || tree.only([]string{"job", "zone"}) {
		t.Error("a tree of two shapes must not know an only one")
	}
}
