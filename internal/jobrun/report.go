package jobrun

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// report writes metrics of a job in the text format.
type report struct{ bytes.Buffer }

func (r *report) family(name, help string) {
	fmt.Fprintf(r, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

func (r *report) gauge(name, help string, value float64) {
	r.family(name, help)
	r.sample(name, value)
}

func (r *report) sample(series string, value float64) {
	fmt.Fprintf(r, "%s %s\n", series, strconv.FormatFloat(value, 'g', -1, 64))
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func (r *report) started(at time.Time) {
	r.gauge("job_last_start_timestamp_seconds", "Unix time when the job was last started.", unixSeconds(at))
}

// Started returns the metrics of a job that was just started.
func Started(at time.Time) []byte {
	var r report
	r.started(at)
	return r.Bytes()
}

// Metrics returns the metrics of a job that has ended. The time of its last success is among them only
// if this was one, so that a push of families keeps the one before.
func (o *Outcome) Metrics() []byte {
	var r report
	r.started(o.Start)
	r.gauge("job_last_end_timestamp_seconds", "Unix time when the job last ended.", unixSeconds(o.End))
	r.gauge("job_last_duration_seconds", "How long the last run of the job took.", o.End.Sub(o.Start).Seconds())
	r.gauge("job_last_exit_code", "Exit code of the last run of the job, as a shell tells it.", float64(o.Code))
	r.gauge("job_last_signal_number", "Number of the signal that killed the last run of the job, 0 for none.", float64(o.Signal))
	success := 0.0
	if o.Success() {
		success = 1
		r.gauge("job_last_success_timestamp_seconds", "Unix time when the job last ended with success.", unixSeconds(o.End))
	}
	r.gauge("job_last_success", "Whether the last run of the job succeeded (1) or not (0).", success)
	o.Usage.report(&r)
	return r.Bytes()
}

func (u *Usage) report(r *report) {
	if u.User >= 0 && u.System >= 0 {
		const name = "job_last_cpu_seconds"
		r.family(name, "CPU time of the last run of the job, with what it started and waited for.")
		r.sample(name+`{mode="system"}`, u.System.Seconds())
		r.sample(name+`{mode="user"}`, u.User.Seconds())
	}
	for _, m := range []struct {
		name, help string
		bytes      int64
	}{
		{"job_last_peak_memory_bytes", "Most memory that one process of the last run of the job held.", u.PeakMemory},
		{"job_last_disk_read_bytes", "Bytes that the last run of the job read from disks.", u.ReadDisk},
		{"job_last_disk_written_bytes", "Bytes that the last run of the job wrote to disks.", u.WroteDisk},
	} {
		if m.bytes >= 0 {
			r.gauge(m.name, m.help, float64(m.bytes))
		}
	}
}
