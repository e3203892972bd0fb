package exposition

// slab hands out zero values, a run of which is one allocation: a histogram in protobuf form is made of
// a great many small values. A value keeps its whole run in memory.
type slab[T any] struct {
	free []T
	run  int
}

// Runs begin small, since most bodies hold few histograms, and double.
const firstRun, longestRun = 8, 512

// one returns a value that nobody else has.
func (s *slab[T]) one() *T {
	if len(s.free) == 0 {
		s.run = min(max(2*s.run, firstRun), longestRun)
		s.free = make([]T, s.run)
	}
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}

// of returns a pointer to a copy of v, which must be free to copy.
func of[T any](s *slab[T], v T) *T {
	p := s.one()
	*p = v
	return p
}
