// Package exposition is the wire: it turns pushed bytes into metric families, and families into the
// bytes that are scraped. It knows no keys, no groups and no routes.
//
// [DecodeText] and [DecodeProtobuf] read a body into families. [Family.Encode] lays labels over the
// metrics of a family, checks all that can be checked without looking at other families, and returns
// a [Block]: sorted, encoded and immutable. [Negotiate] reads an Accept header, and [WriteFamily] joins
// blocks to one family in the syntax that was asked for.
//
// What Encode accepts, a Prometheus server takes whole, in text and in protobuf, under each of the
// escaping schemes. Readers and writers are this package's own, since they are the hot path of a push and
// of a scrape; those of prometheus/common and of the protobuf library are the oracles of the tests.
package exposition
