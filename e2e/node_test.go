package e2e

import "testing"

// TestNode pushes with prom-client: chunked, without a Content-Type, gzipped or not.
func TestNode(t *testing.T) {
	needFile(t, "node_modules/prom-client/package.json", "run npm ci in e2e/")
	const script = `
const client = require('prom-client');
const zlib = require('zlib');
(async () => {
  const registry = new client.Registry();
  const done = new client.Counter({ name: 'done_total', help: 'jobs\ndone', labelNames: ['kind'], registers: [registry] });
  done.inc({ kind: 'a "quoted" \\ 作业' }, 3);
  const took = new client.Histogram({ name: 'took_seconds', help: 'time taken', buckets: [1, 5], registers: [registry] });
  took.observe(2);
  const plain = new client.Pushgateway(process.argv[2], {}, registry);
  await plain.push({ jobName: 'node job', groupings: { stage: 'one' } });
  const more = new client.Registry();
  new client.Gauge({ name: 'size_bytes', help: 'size', registers: [more] }).set(1e9);
  const gzipped = new client.Pushgateway(process.argv[2], { headers: { 'Content-Encoding': 'gzip' } }, more);
  await gzipped.pushAdd({ jobName: 'node job', groupings: { stage: 'one' } });
  await gzipped.push({ jobName: 'gone' });
  const { resp } = await plain.delete({ jobName: 'gone' });
  console.log(resp.statusCode);
})().catch((e) => { console.error(e); process.exit(1); });
`
	g := startGateway(t)
	if said := run(t, script, need(t, "node", "nodejs"), "-", g.url); said != "202\n" {
		t.Errorf("the status of the delete is %q, want 202", said)
	}
	const key = `instance="",job="node job"`
	g.serves(t, `# HELP done_total jobs\ndone`, `done_total{`+key+`,kind="a \"quoted\" \\ 作业",stage="one"} 3`,
		`took_seconds_bucket{`+key+`,stage="one",le="5"} 1`, `size_bytes{`+key+`,stage="one"} 1e+09`)
	if groups := g.groups(t); len(groups) != 1 {
		t.Errorf("%d groups, want 1: %v", len(groups), groups)
	}
}
