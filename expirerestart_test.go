package holdfast

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// life is a gateway that can be stopped and started again on what its engine keeps, under fake time.
type life struct {
	*testing.T
	engine *keeper
	*Gateway
	rules *Rules
	end   func()
}

func (l *life) start() {
	l.Helper()
	var err error
	if l.Gateway, err = New(Options{Engine: l.engine, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		l.Fatal(err)
	}
	l.SetRules(l.rules)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- l.Gateway.Run(ctx) }()
	l.end = func() {
		stop()
		if err := <-ended; err != nil {
			l.Error(err)
		}
	}
	synctest.Wait()
}

// down stops the gateway and starts it again after a while.
func (l *life) down(d time.Duration) {
	l.end()
	advance(d)
	l.start()
}

func (l *life) push(name string, terms Terms) {
	l.Helper()
	families, err := exposition.DecodeText([]byte("# TYPE x counter\nx 1\n"), model.LegacyValidation)
	accept(l.T, err)
	accept(l.T, l.Gateway.Push(l.Context(), Push{Key: job(name), Families: families, Time: time.Now(), Terms: terms}))
}

// shows checks which of the gateway's jobs expose x.
func (l *life) shows(when string, want ...string) {
	l.Helper()
	got := scraped(l.T, l.Gateway, "x{")
	for _, name := range want {
		if !strings.Contains(got, `job="`+name+`"`) {
			l.Errorf("%s: %s is gone:\n%s", when, name, got)
		}
	}
	if lines := strings.Count(got, "\n"); lines != len(want) {
		l.Errorf("%s: %d groups, want %d:\n%s", when, lines, len(want), got)
	}
}

func lives(t *testing.T, test func(l *life)) {
	synctest.Test(t, func(t *testing.T) {
		l := &life{T: t, engine: newKeeper()}
		l.start()
		test(l)
		l.end()
	})
}

func TestDeadlinesSurviveARestart(t *testing.T) {
	lives(t, func(l *life) {
		l.push("minute", Terms{TTL: new(time.Minute)})
		l.push("hour", Terms{TTL: new(time.Hour)})
		l.push("ever", Terms{})
		l.down(30 * time.Second)
		advance(30*time.Second - 1)
		l.shows("just before a minute is over", "minute", "hour", "ever")
		advance(1)
		l.shows("after a minute", "hour", "ever")
		l.down(0)
		l.shows("what has expired does not come back", "hour", "ever")
	})
}

// Only what ran out while nobody could renew it is kept a little longer.
func TestDeadlinesThatPassWhileDown(t *testing.T) {
	lives(t, func(l *life) {
		l.push("short", Terms{TTL: new(time.Minute)})
		l.push("long", Terms{TTL: new(time.Hour)})
		l.push("later", Terms{TTL: new(2*time.Hour + time.Minute)})
		l.down(2 * time.Hour)
		l.shows("at the start", "short", "long", "later")
		advance(time.Minute - 1)
		l.shows("just before a minute", "short", "long", "later")
		advance(1)
		l.shows("after a minute", "long")
		advance(4*time.Minute - 1)
		l.shows("just before five minutes", "long")
		advance(1)
		l.shows("after five minutes")
	})
}

func TestPushTimeIsKeptOverARestart(t *testing.T) {
	lives(t, func(l *life) {
		l.push("a", Terms{TTL: new(time.Minute), KeepPushTime: new(time.Hour), Every: new(time.Second)})
		advance(time.Minute)
		before := scraped(l.T, l.Gateway, `job="a"`)
		l.down(0)
		if after := scraped(l.T, l.Gateway, `job="a"`); after != before || before == "" {
			l.Errorf("before:\n%safter:\n%s", before, after)
		}
		advance(time.Hour)
		if left := scraped(l.T, l.Gateway, `job="a"`); left != "" {
			l.Errorf("left after all its time:\n%s", left)
		}
	})
}

// That a group is overdue shows from the first scrape after a start on.
func TestOverdueAfterARestart(t *testing.T) {
	lives(t, func(l *life) {
		l.push("a", Terms{Every: new(time.Hour)})
		l.down(time.Hour)
		if got := scraped(l.T, l.Gateway, overdueName); !strings.HasSuffix(got, " 1\n") {
			l.Errorf("got %q, want it overdue", got)
		}
		l.push("a", Terms{Every: new(time.Hour)})
		if got := scraped(l.T, l.Gateway, overdueName); !strings.HasSuffix(got, " 0\n") {
			l.Errorf("got %q, want it in time", got)
		}
	})
}

func TestAddingSurvivesARestart(t *testing.T) {
	lives(t, func(l *life) {
		l.push("a", Terms{Mode: new(Add)})
		l.down(time.Minute)
		l.push("a", Terms{Mode: new(Add)})
		if got := scraped(l.T, l.Gateway, "x{"); !strings.HasSuffix(got, " 2\n") {
			l.Errorf("got %q, want 2", got)
		}
		if err := pushText(l.T, l.Gateway, "a", ReplaceGroup, "", "x 1\n"); err == nil {
			l.Error("the group has forgotten that it adds up")
		}
	})
}

// A rule sets how long groups stay whose time ran out while the gateway was down.
func TestRestartGraceOfTheRules(t *testing.T) {
	lives(t, func(l *life) {
		l.rules = NewRules()
		l.rules.RestartGrace = new(time.Second)
		l.push("a", Terms{TTL: new(time.Hour)})
		l.down(2 * time.Hour)
		advance(time.Second - 1)
		l.shows("just before a second", "a")
		advance(1)
		l.shows("after a second")
	})
}
