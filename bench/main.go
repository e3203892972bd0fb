// Command bench loads a push gateway over HTTP and measures it against what the same machine can do at
// best in the same run: servers that only take bodies, that also keep them, or that only send bytes.
// README.md tells the method and the commands.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options says what is measured, and how long.
type options struct {
	holdfast string   // path of the binary; empty for none
	args     []string // more flags for it
	engines  []string
	url      string // a gateway that runs already
	pid      int    // of it; 0 where its CPU and memory are not known
	dir      string // where stores and files of the run go; empty for the system's place
	name     string // of the file of results; empty for none

	parts    []string
	groups   []int
	clients  []int
	shape    shape // of a push
	big      shape
	bigCount int // groups of the big shape
	protobuf bool
	rate     float64 // pushes a second of the open loop
	duration time.Duration
	rounds   int
}

// allParts are the measurements, in their order.
func allParts() []string { return []string{"push", "scrape", "churn", "mixed", "big"} }

func parseOptions(args []string) (options, error) {
	o := options{shape: shape{families: 5, series: 4}, big: shape{families: 5, series: 3000}, bigCount: 100}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.holdfast, "holdfast", "", "binary of Holdfast to start and measure")
	more := f.String("args", "", "more flags for Holdfast, separated by spaces")
	engines := f.String("engine", "disk,memory", "engines of Holdfast to measure")
	f.StringVar(&o.url, "url", "", "base URL of a gateway on this machine that runs already; it is filled with groups of job bench")
	f.IntVar(&o.pid, "pid", 0, "process id behind -url, for its CPU and memory")
	f.StringVar(&o.dir, "dir", "", "directory for stores and files of the run; default: the system's temporary one")
	f.StringVar(&o.name, "name", "", "write bench/results/NAME.md")
	parts := f.String("parts", strings.Join(allParts(), ","), "what to measure")
	groups := f.String("groups", "100,10000", "numbers of stored groups")
	clients := f.String("clients", "1,8,32", "numbers of clients of the closed loop")
	f.BoolVar(&o.protobuf, "protobuf", false, "push protobuf instead of text")
	f.Float64Var(&o.rate, "rate", 500, "pushes a second of the open loop")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "length of one round of one target")
	f.IntVar(&o.rounds, "rounds", 5, "rounds, of which the median counts")
	quick := f.Bool("quick", false, "a sane run of less than a minute; beats the flags of size")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.args, o.engines, o.parts = strings.Fields(*more), list(*engines), list(*parts)
	var err error
	if o.groups, err = numbers(*groups); err != nil {
		return o, fmt.Errorf("-groups: %w", err)
	}
	if o.clients, err = numbers(*clients); err != nil {
		return o, fmt.Errorf("-clients: %w", err)
	}
	if *quick {
		o.groups, o.clients, o.rounds, o.duration = []int{100, 1000}, []int{1, 8}, 3, 400*time.Millisecond
		o.big, o.bigCount = shape{families: 5, series: 300}, 20
	}
	return o, o.check()
}

func (o *options) check() error {
	for _, part := range o.parts {
		if !slices.Contains(allParts(), part) {
			return fmt.Errorf("-parts: %q is none of %v", part, allParts())
		}
	}
	if o.rounds < 1 || o.duration <= 0 || o.rate <= 0 {
		return errors.New("-rounds, -duration and -rate must be above zero")
	}
	if o.url != "" {
		o.engines = nil
		slices.Sort(o.groups)
		o.groups = o.groups[len(o.groups)-1:] // one store holds one number of groups
	}
	return nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

func numbers(text string) ([]int, error) {
	var all []int
	for _, word := range list(text) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > maxKeys {
			return nil, fmt.Errorf("%q is no number from 1 to %d", word, maxKeys)
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		return nil, errors.New("at least one number is needed")
	}
	return all, nil
}

// run is one call of the command: an opponent that another one started, or a measurement.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 && isOpponent(args[0]) {
		return opponent(ctx, args)
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(o.dir, "bench")
	if err != nil {
		return fmt.Errorf("make a directory for the run: %w", err)
	}
	defer os.RemoveAll(work)
	b := &bench{options: o, work: work, report: &report{out: os.Stdout}}
	if b.report.machine, err = describeMachine(work); err != nil {
		return err
	}
	b.report.print(b.report.machine)
	if err := b.measure(ctx); err != nil {
		return err
	}
	b.report.judge()
	if o.name == "" {
		return nil
	}
	return b.report.write(o.name, args)
}
