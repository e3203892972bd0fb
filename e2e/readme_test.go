package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pasted are the README's examples, by a line that each has.
func pasted(t *testing.T) func(line string) string {
	t.Helper()
	blocks := regexp.MustCompile("(?s)```(?:sh|python)\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	return func(line string) string {
		for _, block := range blocks {
			if strings.Contains(block[1], line) {
				return block[1]
			}
		}
		t.Fatalf("the README has no example with %s", line)
		return ""
	}
}

// TestReadme runs the README's examples as they stand, but for the gateway's address and the names of
// what is not there.
func TestReadme(t *testing.T) {
	g := startGateway(t)
	example := pasted(t)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("backup.sh", "#!/bin/sh\n"+regexp.MustCompile("`(echo [^`]* > \\$HOLDFAST_METRICS)`").FindStringSubmatch(readme(t))[1]+"\n")
	write("Makefile", "test:\n\t@echo tested\n")
	write("metrics.txt", "# TYPE queue_messages_total counter\nqueue_messages_total 7\n")
	if err := os.Symlink(os.Getenv(binaryVariable), filepath.Join(dir, "holdfast")); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(g.url, "http://")
	here := strings.NewReplacer("localhost:9091", address, "gateway:9091", address, "/usr/local/bin/", dir+"/")
	shell := func(name, script string) string {
		t.Helper()
		// What cron gives a job, and no more.
		c := exec.Command("/bin/sh", "-c", here.Replace(script))
		c.Dir, c.Env = dir, []string{"HOME=" + dir, "SHELL=/bin/sh", "PATH=" + dir + ":/usr/bin:/bin"}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	shell("first push", example("backup_last_success_bytes 123456"))
	g.serves(t, `backup_last_success_bytes{instance="db1",job="backup"} 123456`)

	run(t, here.Replace(example("push_to_gateway")), python, "-")
	g.serves(t, `requests_total{instance="",job="SampleURLMetrics",req_method="GET",req_status="200",req_url="/test/api/url/"} 12`)

	shell("cron with run", cronLine(t, example("--job backup --every 24h")))
	g.serves(t, `job_last_success{instance="",job="backup"} 1`, `job_last_exit_code{instance="",job="backup"} 0`,
		`backup_size_bytes{instance="",job="backup"} 42`, `push_overdue{instance="",job="backup"} 0`)

	if said := shell("CI", example("--job ci")); !strings.Contains(said, "tested") {
		t.Errorf("the CI job said %q", said)
	}
	g.serves(t, `job_last_success{instance="",job="ci",pipeline="main"} 1`)

	write("backup.sh", "#!/bin/sh\n")
	shell("cron with curl", cronLine(t, example("date +")))
	if page := g.page(t, "allow-utf-8"); !regexp.MustCompile(`(?m)^backup_last_success_seconds\{instance="",job="backup"\} 1\.\d+e\+09$`).MatchString(page) {
		t.Errorf("the page lacks the time of the last backup:\n%s", page)
	}

	shell("options", example("/with/mode=add"))
	shell("options again", example("/with/mode=add"))
	g.serves(t, `queue_messages_total{instance="",job="mailer"} 14`, `queue_messages_total{instance="w1",job="worker"} 7`)
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// cronLine returns the command of a line of a crontab, as cron gives it to the shell.
func cronLine(t *testing.T, line string) string {
	t.Helper()
	fields := regexp.MustCompile(`^((?:\S+ ){5})(.*)\n$`).FindStringSubmatch(line)
	if fields == nil || regexp.MustCompile(`[^\\]%`).MatchString(fields[2]) {
		t.Fatalf("cron does not take %q", line)
	}
	return strings.ReplaceAll(fields[2], `\%`, "%")
}
