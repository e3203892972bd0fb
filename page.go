package holdfast

import (
	"iter"
	"slices"
	"strings"
	"unsafe"
)

// run holds values by key, in bytewise key order, in pages. A snapshot of it is a copy of the struct: pages and
// page list are then shared, and whoever changes them in a later epoch copies what it touches first.
type run[V any] struct {
	pages []leaf[V]
	epoch uint64 // in which the page list was made; only then may it be written in place
	count int
}

// leaf is a page and its first key, which is kept beside it so that a search touches no page but the
// one it looks for.
type leaf[V any] struct {
	first string
	*page[V]
}

// page is a stretch of a run, never empty.
type page[V any] struct {
	epoch   uint64
	weight  int
	slots   []slot[V]
	pressed presses // once a snapshot has shared the page
}

type slot[V any] struct {
	key    string
	value  V
	weight int32
}

// place is where a value was last seen in a run. Values move only when others come or go, so a steady
// push finds its place again without a search.
type place struct{ at, in int32 }

// Weight is in bytes for blocks, whose text takes somewhat less. A page is split when it outgrows
// maxPageWeight, and joined with a neighbour when it falls below a quarter of that. What changed is
// compressed by the page, so pages are as small as compresses well: with half of this the compressed bytes
// grow by 5 %.
const maxPageWeight = 8 << 10

// find returns the page that holds key or would, and the place in it. There must be a page.
func (r *run[V]) find(key string) (at, in int, found bool) {
	at, found = slices.BinarySearchFunc(r.pages, key, func(l leaf[V], k string) int { return strings.Compare(l.first, k) })
	if found {
		return at, 0, true
	}
	at = max(at-1, 0)
	in, found = slices.BinarySearchFunc(r.pages[at].slots, key, func(s slot[V], k string) int { return strings.Compare(s.key, k) })
	return at, in, found
}

// look is find with a guess where key stands. Keys of one group share their memory, so that a right
// guess is known without reading the key.
func (r *run[V]) look(key string, guess place) (at, in int, found bool) {
	if at, in := int(guess.at), int(guess.in); at < len(r.pages) && in < len(r.pages[at].slots) {
		if held := r.pages[at].slots[in].key; len(held) == len(key) && unsafe.StringData(held) == unsafe.StringData(key) {
			return at, in, true
		}
	}
	return r.find(key)
}

// get returns the value under key.
func (r *run[V]) get(key string) (v V, found bool) {
	if len(r.pages) == 0 {
		return v, false
	}
	at, in, found := r.find(key)
	if found {
		v = r.pages[at].slots[in].value
	}
	return v, found
}

// first returns the least key that is not skip; ok is false where there is none.
func (r *run[V]) first(skip string) (key string, ok bool) {
	for k := range r.all() {
		if k != skip {
			return k, true
		}
	}
	return "", false
}

// set puts value under key, in the given epoch, and returns what was there. The place is a guess first,
// and then where the value stands.
func (r *run[V]) set(epoch uint64, key string, value V, weight int, where *place) (old V) {
	fresh := slot[V]{key, value, int32(min(weight, maxPageWeight))}
	if len(r.pages) == 0 {
		r.own(epoch)
		r.pages = append(r.pages, leaf[V]{key, &page[V]{epoch: epoch, weight: int(fresh.weight), slots: []slot[V]{fresh}}})
		r.count++
		*where = place{}
		return old
	}
	at, in, found := r.look(key, *where)
	*where = place{int32(at), int32(in)}
	p := r.writable(epoch, at)
	if found {
		old = p.slots[in].value
		p.weight += int(fresh.weight) - int(p.slots[in].weight)
		fresh.key = p.slots[in].key // one copy of a key is enough
		p.slots[in] = fresh
	} else {
		p.weight += int(fresh.weight)
		p.slots = slices.Insert(p.slots, in, fresh)
		r.pages[at].first = p.slots[0].key
		r.count++
	}
	if p.weight > maxPageWeight && len(p.slots) > 1 {
		r.split(at)
	}
	return old
}

// remove drops key and returns what was under it.
func (r *run[V]) remove(epoch uint64, key string) (old V) {
	if len(r.pages) == 0 {
		return old
	}
	at, in, found := r.find(key)
	if !found {
		return old
	}
	r.count--
	p := r.writable(epoch, at)
	old = p.slots[in].value
	p.weight -= int(p.slots[in].weight)
	p.slots = slices.Delete(p.slots, in, in+1)
	if len(p.slots) == 0 {
		r.pages = slices.Delete(r.pages, at, at+1)
		return old
	}
	r.pages[at].first = p.slots[0].key
	if p.weight < maxPageWeight/4 {
		r.join(epoch, at)
	}
	return old
}

// own makes the page list writable.
func (r *run[V]) own(epoch uint64) {
	if r.epoch != epoch {
		r.pages = slices.Clone(r.pages)
		r.epoch = epoch
	}
}

// writable returns the page at a place, copied if a snapshot may still read it.
func (r *run[V]) writable(epoch uint64, at int) *page[V] {
	r.own(epoch)
	p := r.pages[at].page
	if p.epoch != epoch {
		p = &page[V]{epoch: epoch, weight: p.weight, slots: slices.Clone(p.slots)}
		r.pages[at].page = p
	}
	return p
}

// split halves the page at a place by weight. The last page keeps most: values that come about in order
// then leave pages that are nearly full. Page and list are writable.
func (r *run[V]) split(at int) {
	p := r.pages[at].page
	kept := p.weight / 2
	if at == len(r.pages)-1 {
		kept = p.weight * 7 / 8
	}
	cut, left := 1, int(p.slots[0].weight)
	for cut < len(p.slots)-1 && left+int(p.slots[cut].weight) <= kept {
		left += int(p.slots[cut].weight)
		cut++
	}
	right := &page[V]{epoch: p.epoch, weight: p.weight - left, slots: slices.Clone(p.slots[cut:])}
	clear(p.slots[cut:])
	p.slots, p.weight = p.slots[:cut], left
	r.pages = slices.Insert(r.pages, at+1, leaf[V]{right.slots[0].key, right})
}

// join moves the light page at a place into a neighbour, if both then fit well into one.
func (r *run[V]) join(epoch uint64, at int) {
	for _, left := range []int{at - 1, at} {
		if left < 0 || left+1 >= len(r.pages) || r.pages[left].weight+r.pages[left+1].weight > maxPageWeight/2 {
			continue
		}
		p, next := r.writable(epoch, left), r.pages[left+1]
		p.slots = append(p.slots, next.slots...)
		p.weight += next.weight
		r.pages = slices.Delete(r.pages, left+1, left+2)
		return
	}
}

// all yields keys and values in key order.
func (r *run[V]) all() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, p := range r.pages {
			for i := range p.slots {
				if !yield(p.slots[i].key, p.slots[i].value) {
					return
				}
			}
		}
	}
}
