package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// report prints what was measured as it comes, and keeps it for a file. Its tables are Markdown.
type report struct {
	out      io.Writer
	machine  string
	text     strings.Builder
	verdicts [][]string
}

func (r *report) print(line string) {
	fmt.Fprintln(r.out, line)
	r.text.WriteString(line + "\n")
}

// table prints rows under a title; the first row is the head. Columns are aligned, so that it can be read
// as it is.
func (r *report) table(title string, rows [][]string) {
	r.print("\n## " + title + "\n")
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for i, row := range rows {
		var line, rule strings.Builder
		for column, cell := range row {
			fmt.Fprintf(&line, "| %-*s ", widths[column], cell)
			rule.WriteString("|" + strings.Repeat("-", widths[column]+2))
		}
		r.print(line.String() + "|")
		if i == 0 {
			r.print(rule.String() + "|")
		}
	}
}

// claim notes a number that is asked for: at least a limit, or at most where that is said.
func (r *report) claim(what string, measured float64, atMost bool, limit float64) {
	word, holds := "at least", measured >= limit
	if atMost {
		word, holds = "at most", measured <= limit
	}
	answer := "yes"
	if !holds {
		answer = "no"
	}
	r.verdicts = append(r.verdicts, []string{what, fmt.Sprintf("%.3g", measured), fmt.Sprintf("%s %.3g", word, limit), answer})
}

// judge prints what was asked for and what came.
func (r *report) judge() {
	if len(r.verdicts) > 0 {
		r.table("Asked for", append([][]string{{"what", "measured", "asked", "holds"}}, r.verdicts...))
	}
}

// write puts all that was printed into bench/results, below the directory that the program was started in.
func (r *report) write(name string, args []string) error {
	if strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("-name %q must be a plain name", name)
	}
	var told []string
	for _, arg := range args {
		if filepath.IsAbs(arg) {
			arg = filepath.Base(arg) // where it stood on this machine is of no use to a reader
		}
		told = append(told, arg)
	}
	head := fmt.Sprintf("# %s\n\n%s, `go run ./bench %s`. Read ratios inside one table, not absolutes: see ../README.md.\n\n",
		name, time.Now().UTC().Format(time.DateOnly), strings.Join(told, " "))
	folder := filepath.Join("bench", "results")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".md"), []byte(head+r.text.String()), 0o644)
}

func ratio(x float64) string { return fmt.Sprintf("%.2f", x) }

func micros(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Microsecond)) }

func millis(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond)) }

func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }
