package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"holdfast/internal/client"
	"holdfast/internal/jobrun"
)

// Exit codes of run that are not the command's; jobrun has the others.
const (
	exitOwn    = 125 // run itself could not do what was asked
	exitLocked = 75
)

// metricsVariable is where a command finds the name of the file for its own metrics.
const metricsVariable = "HOLDFAST_METRICS"

// ownMetricsLimit bounds what a command may write of its own metrics, in bytes.
const ownMetricsLimit = 64 << 20

// jobRun is one call of run.
type jobRun struct {
	key           *keyFlags
	terms         *termFlags
	to            *connection
	command       []string
	stdoutMetrics bool
	timeout       time.Duration
	lock, quiet   bool

	gateway *client.Client
	metrics string // file for the command's own metrics
	stdout  bounded
}

// runCommand runs a job and tells the gateway how it went.
func runCommand() command {
	return command{
		name: "run", failed: exitOwn,
		help: "Run a command and push how it went: times, duration, exit code, what it used, and metrics that it writes to the file named by $" + metricsVariable + ". The exit code is the command's, whatever becomes of the pushes.",
		setup: func(app *kingpin.Application) func(context.Context) error {
			r := &jobRun{key: addKey(app), terms: addTerms(app), to: addConnection(app)}
			app.Interspersed(false)
			app.Flag("stdout-metrics", "Take what the command writes to stdout as its metrics.").BoolVar(&r.stdoutMetrics)
			app.Flag("timeout", "End the command when it runs longer, with exit code 124: SIGTERM first, SIGKILL 10s later.").SetValue((*span)(&r.timeout))
			app.Flag("lock", "Do not run while another run of the same job goes on here; the exit code is 75 then.").BoolVar(&r.lock)
			app.Flag("quiet", "Do not tell on stderr that the outcome could not be pushed, or waits in the spool.").BoolVar(&r.quiet)
			app.Arg("COMMAND", "The command and its arguments, behind --.").Required().StringsVar(&r.command)
			return r.run
		},
	}
}

func (r *jobRun) run(context.Context) error {
	path, err := client.Path(r.key.grouping())
	if err != nil {
		return err
	}
	if r.to.timeout <= 0 {
		return errors.New("--push-timeout must be more than 0")
	}
	if r.lock {
		release, err := jobrun.Lock(path)
		if errors.Is(err, jobrun.ErrLocked) {
			return &coded{withHint(err, "wait for it to end, or run without --lock"), exitLocked}
		}
		if err != nil {
			return err
		}
		defer release()
	}
	r.to.quiet = r.quiet
	if r.gateway, err = r.to.open(); err != nil {
		r.warn(err) // the job matters more than its metrics
	}
	outcome := r.job()
	if outcome.Err != nil {
		tell(outcome.Err.Error())
	}
	return &coded{nil, outcome.Code}
}

// job runs the command between two pushes.
func (r *jobRun) job() jobrun.Outcome {
	var env []string
	if file, err := os.CreateTemp("", "holdfast-metrics"); err == nil {
		r.metrics = file.Name()
		_ = file.Close()
		defer os.Remove(r.metrics)
		env = append(env, metricsVariable+"="+r.metrics)
	} else {
		r.warn(fmt.Errorf("make a file for the metrics of the job: %w", err))
	}
	stop := r.pushStart()
	job := jobrun.Job{Args: r.command, Env: env, Timeout: r.timeout, Grace: 10 * time.Second}
	if r.stdoutMetrics {
		job.Stdout = &r.stdout
	}
	outcome := jobrun.Run(job)
	ctx, cancel := context.WithTimeout(context.Background(), r.to.timeout)
	defer cancel()
	stop()
	r.pushOutcome(ctx, &outcome)
	return outcome
}

// pushStart pushes beside the command that it was started, until the returned function is called. What
// comes of it is told by the last push.
func (r *jobRun) pushStart() (stop func()) {
	if r.gateway == nil || r.to.backlog(r.gateway) {
		return func() {} // it must not overtake what waits, and the last push tells it too
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.to.timeout)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p := r.newPush(jobrun.Started(time.Now()))
		if p.Prepare() == nil {
			_ = r.gateway.Push(ctx, p) // not worth a place in the spool: the last push tells it too
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// pushOutcome pushes how the job went, with its own metrics. Should those be at fault, it goes alone.
func (r *jobRun) pushOutcome(ctx context.Context, o *jobrun.Outcome) {
	if r.gateway == nil {
		return
	}
	own, err := r.ownMetrics()
	if err != nil {
		r.warn(err)
	}
	if len(own) > 0 {
		err := r.push(ctx, append(o.Metrics(), own...))
		var lost *client.Undelivered
		if err == nil || errors.As(err, &lost) {
			r.warn(err)
			return
		}
		r.warn(fmt.Errorf("the metrics that the job wrote are not pushed: %w", err))
	}
	r.warn(r.push(ctx, o.Metrics()))
}

func (r *jobRun) push(ctx context.Context, body []byte) error {
	p := r.newPush(body)
	if err := p.Prepare(); err != nil {
		return err
	}
	return r.to.send(ctx, r.gateway, p)
}

func (r *jobRun) newPush(body []byte) *client.Push {
	return &client.Push{Mode: client.Post, Labels: r.key.grouping(), Options: r.terms.options(), Body: body}
}

// ownMetrics returns what the command wrote for us, as lines of text.
func (r *jobRun) ownMetrics() ([]byte, error) {
	own := r.stdout.Bytes()
	if r.stdout.over {
		own = nil
	}
	var problem error
	if r.stdout.over {
		problem = fmt.Errorf("the job wrote more than %d bytes of metrics to stdout, which are not pushed", ownMetricsLimit)
	}
	own, err := client.Text(own)
	problem = errors.Join(problem, err)
	if r.metrics != "" {
		written, err := readBounded(r.metrics)
		own, problem = append(lines(own), lines(written)...), errors.Join(problem, err)
	}
	return lines(own), problem
}

func readBounded(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of the job: %w", err)
	}
	if !info.Mode().IsRegular() { // a pipe, a directory or a device may never end
		return nil, errors.New("the job put something else in the place of the file for its metrics, which are not pushed")
	}
	if info.Size() > ownMetricsLimit {
		return nil, fmt.Errorf("the job wrote more than %d bytes of metrics, which are not pushed", ownMetricsLimit)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of the job: %w", err)
	}
	return client.Text(written)
}

// lines ends the last line of a text.
func lines(text []byte) []byte {
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 {
		return nil
	}
	return append(text, '\n')
}

func (r *jobRun) warn(err error) {
	if err == nil || r.quiet {
		return
	}
	tell(err.Error())
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(os.Stderr, "hint:", hint)
	}
}

// bounded keeps what is written to it, up to ownMetricsLimit.
type bounded struct {
	bytes.Buffer
	over bool
}

// Write implements io.Writer. It takes everything, so that nobody who writes is stopped.
func (b *bounded) Write(p []byte) (int, error) {
	if b.over = b.over || b.Len()+len(p) > ownMetricsLimit; b.over {
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
