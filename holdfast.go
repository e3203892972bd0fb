// Package holdfast is a push gateway for Prometheus: batch jobs push their metrics, the gateway keeps
// them, and Prometheus scrapes them. This package is the domain: what is kept, and is it consistent? It
// knows no HTTP, no disk and no flags.
//
// # Words
//
// A grouping key ([Key]) is the set of labels in a push path. All that was pushed under one key is its
// group ([Group]). A group has families, each with metrics; a metric is one label set, also called a
// series where it is counted, and a sample is one line of it. Encoded metrics of one family of one
// group are a block; pages hold a run of blocks in key order.
//
// # The life of a push
//
// internal/web parses the path and decodes the body into a [Push]. [Gateway.Push] lays the grouping
// labels over the metrics and encodes them into blocks, which also checks what can be checked without
// looking at other groups. Then it waits for its turn: one commit is in flight for each key, and pushes
// that wait behind it are applied in order onto one following group. The claim compares that group with
// all others at the cost of what was pushed, and reserves its families' types and label sets. The engine
// keeps the group's records. The index installs the group in all its families at once, so that the next
// scrape sees all of it, and the push is answered.
//
// # The life of a scrape
//
// [Gateway.Scrape] takes a snapshot, which only marks lists and pages as shared: whoever changes them
// next copies what it touches. It then walks the families by name and writes their pages: what did not
// change since an earlier scrape of the kind as that one left it, the rest made anew. No lock is held
// while it writes.
package holdfast
