package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"holdfast/internal/client"
)

// spoolCall is one call of spool.
type spoolCall struct {
	to      *connection
	action  string
	refused bool
	waiting bool
	output  string
}

// spoolCommand looks after what could not be delivered.
func spoolCommand() command {
	return command{name: "spool", help: "Look after pushes that could not be delivered: list them, send them now (send), or drop those that were refused (drop).", setup: func(app *kingpin.Application) func(context.Context) error {
		s := &spoolCall{to: addConnection(app)}
		app.Arg("WHAT", "list: of all gateways; send and drop: of the one that --url names.").Default("list").EnumVar(&s.action, "list", "send", "drop")
		app.Flag("refused", "For send: have what was refused wait again first, behind what waits already.").BoolVar(&s.refused)
		app.Flag("waiting", "For drop: drop what waits, too.").BoolVar(&s.waiting)
		addOutput(app, &s.output)
		return s.run
	}}
}

func (s *spoolCall) run(ctx context.Context) error {
	switch {
	case s.refused && s.action != "send":
		return errors.New("--refused is for send")
	case s.waiting && s.action != "drop":
		return errors.New("--waiting is for drop")
	}
	gateway, err := s.to.open()
	if err != nil {
		return err
	}
	if s.to.spool.Dir == "" {
		return withHint(errors.New("no spool is named"), "give its directory with --spool, $HOLDFAST_SPOOL or spool: in the settings file")
	}
	if s.action == "list" {
		return s.list()
	}
	ctx, cancel := s.to.bound(ctx)
	defer cancel()
	if s.action == "drop" {
		count, err := gateway.Spool(s.to.spool).Drop(ctx, s.waiting)
		tell(fmt.Sprintf("%d pushes dropped", count))
		return busy(err)
	}
	return busy(s.send(ctx, gateway.Spool(s.to.spool)))
}

// busy gives an error of a spool that somebody else uses the code for a later attempt.
func busy(err error) error {
	if errors.Is(err, client.ErrSpoolBusy) {
		return &coded{withHint(err, "wait for it to end, or give more time with --push-timeout"), exitLater}
	}
	return err
}

// send sends what waits, and tells how much that was.
func (s *spoolCall) send(ctx context.Context, spool *client.Spool) error {
	if s.refused {
		if _, err := spool.Again(ctx); err != nil {
			return err
		}
	}
	before, err := spool.Waiting()
	if err != nil {
		return err
	}
	done := showProgress(fmt.Sprintf("sending %d pushes", before))
	err = spool.Send(ctx)
	done()
	after, problem := spool.Waiting()
	if problem != nil {
		return errors.Join(err, problem)
	}
	tell(fmt.Sprintf("%d pushes left the spool, %d wait", max(0, before-after), after))
	return err
}

func (s *spoolCall) list() error {
	all, err := client.ListSpool(s.to.spool.Dir)
	if err != nil {
		return err
	}
	if s.output == outputJSON {
		if all == nil {
			all = []client.Kept{}
		}
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(all)
	}
	if _, err := os.Stat(s.to.spool.Dir); errors.Is(err, fs.ErrNotExist) {
		tell(s.to.spool.Dir + " does not exist: nothing was ever kept there")
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "STATE\tAGE\tBYTES\tMODE\tGROUP\tGATEWAY\tWHY")
	for _, k := range all {
		if k.State == client.KeptDamaged {
			fmt.Fprintf(table, "%s\t\t\t\t\t%s\t%s\n", k.State, k.Gateway, k.File)
			continue
		}
		why, _, _ := strings.Cut(k.Reason, "\n")
		if k.Status != 0 {
			why = fmt.Sprintf("%d %s", k.Status, why)
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", k.State, time.Since(k.Since).Round(time.Second), k.Bytes, k.Mode, k.Group, k.Gateway, why)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print what is kept: %w", err)
	}
	return nil
}
