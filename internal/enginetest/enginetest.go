// Package enginetest is the suite that every engine passes: what holdfast.Engine promises, asked for from
// outside.
package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"holdfast"
)

// Options says what is tested. An engine that keeps nothing leaves Reopen nil; what needs something kept
// is then not asked of it.
type Options struct {
	// Open opens an empty engine, which is closed when t ends if the test has not done so.
	Open func(t *testing.T) holdfast.Engine
	// Reopen closes an engine and opens it again, with what it kept.
	Reopen func(t *testing.T, e holdfast.Engine) holdfast.Engine
}

// Run runs the suite.
func Run(t *testing.T, o Options) {
	always := map[string]func(*testing.T, Options){
		"guards":                        guards,
		"guards of several records":     severalGuards,
		"revisions rise":                revisionsRise,
		"wipe":                          wipe,
		"one of many wins":              oneOfManyWins,
		"concurrent keys":               concurrentKeys,
		"closed":                        closed,
		"mark comes and follow ends":    markComes,
		"nothing to do":                 nothingToDo,
		"engine status":                 status,
		"guard of a record deleted":     deletedGuard,
		"a conflict changes nothing":    conflictChangesNothing,
		"changes of one commit, in row": lastChangeWins,
	}
	kept := map[string]func(*testing.T, Options){
		"records in key order":             keyOrder,
		"restart":                          restart,
		"revisions rise over restarts":     revisionsOverRestarts,
		"wipe is one change":               wipeKeepsChanges,
		"large records":                    largeRecords,
		"any bytes":                        anyBytes,
		"follow shows one moment":          oneMoment,
		"canceled before its turn":         canceled,
		"value that cannot be encoded":     notEncoded,
		"follow that is left early":        leftEarly,
		"restart after many small commits": manyCommits,
	}
	for name, test := range always {
		t.Run(name, func(t *testing.T) { test(t, o) })
	}
	if o.Reopen == nil {
		return
	}
	for name, test := range kept {
		t.Run(name, func(t *testing.T) { test(t, o) })
	}
}

// text is a value.
type text string

// AppendBinary implements encoding.BinaryAppender.
func (v text) AppendBinary(b []byte) ([]byte, error) { return append(b, v...), nil }

// set changes one record.
func set(key, value string) holdfast.Change {
	return holdfast.Change{Key: key, Value: text(value)}
}

// gone deletes one record.
func gone(key string) holdfast.Change { return holdfast.Change{Key: key} }

// only is a commit of changes that nothing guards.
func only(changes ...holdfast.Change) holdfast.Commit { return holdfast.Commit{Changes: changes} }

// under is a commit of changes that is held back unless key is at a revision.
func under(key string, at holdfast.Revision, changes ...holdfast.Change) holdfast.Commit {
	return holdfast.Commit{Guards: []holdfast.Guard{{Key: key, At: at}}, Changes: changes}
}

// must commits.
func must(t *testing.T, e holdfast.Engine, c holdfast.Commit) holdfast.Revision {
	t.Helper()
	revision, err := e.Commit(context.Background(), c)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return revision
}

// refuse commits what must not be kept, for a reason.
func refuse(t *testing.T, e holdfast.Engine, c holdfast.Commit, want error) {
	t.Helper()
	if revision, err := e.Commit(context.Background(), c); !errors.Is(err, want) || revision != 0 {
		t.Errorf("commit: revision %d and %v, want none and %v", revision, err, want)
	}
}

// All returns what an engine holds, in the order in which it tells.
func All(t testing.TB, e holdfast.Engine) []holdfast.Record {
	t.Helper()
	all, err := Read(e)
	if err != nil {
		t.Fatalf("follow: %v", err)
	}
	return all
}

// Read returns what an engine holds, and the error that cut it short.
func Read(e holdfast.Engine) ([]holdfast.Record, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var all []holdfast.Record
	for r, err := range e.Follow(ctx) {
		if err != nil {
			return all, err
		}
		if r.Key == "" {
			return all, nil
		}
		r.Value = bytes.Clone(r.Value)
		all = append(all, r)
	}
	return all, errors.New("follow ended without a mark")
}

// held returns the values that an engine holds, by key.
func held(t *testing.T, e holdfast.Engine) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, r := range All(t, e) {
		if r.Revision == 0 {
			t.Errorf("record %q has no revision", r.Key)
		}
		values[r.Key] = string(r.Value)
	}
	return values
}

func key(i int) string { return fmt.Sprintf("key-%05d", i) }
